"""From a recipe to a run folder with a measured model in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from multicnn.blocks.arithmetic import parameter_count
from multicnn.blocks.classifier import Classifier
from multicnn.data.example import Trouble
from multicnn.data.files import write_atomically, write_pieces
from multicnn.data.parts import Parts, split_table
from multicnn.errors import UsageError
from multicnn.recipe import Recipe, command_of
from multicnn.recipe_files import dump_recipe
from multicnn.training.batches import class_weights
from multicnn.training.device import choose_device, choose_precision, device_name
from multicnn.training.drift import keep_start
from multicnn.training.history import require_tensorboard, write_curve
from multicnn.training.prepare import Material, Outline, build, outline, read_all
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.session import Session

# How many training examples tell a front end the mean and the deviation.
CALIBRATED_ON = 1024
CALIBRATION_BATCH = 64


@dataclass(slots=True)
class Outcome:
    """What came of a training."""

    run: Path
    metrics: dict[str, Any]
    troubles: list[Trouble]


def train(
    recipe: Recipe,
    run: RunFolder,
    reporter: Reporter,
    started: float,
    resume: bool = False,
    whole: RunFolder | None = None,
    begin: Callable[[], None] | None = None,
) -> Outcome:
    """Trains a classifier and writes the run.

    Args:
        recipe: as it was asked for; on resuming, the run's own.
        run: the folder, claimed already.
        reporter: says on stderr what is going on.
        started: when the command began, on the clock of `time.monotonic`; a time budget counts from there.
        resume: go on from the run's last checkpoint.
        whole: the run that this one is a part of, where it is one of several; that is what can be resumed.
        begin: called once all is known to be right, before anything is written.

    Raises:
        UsageError: the data or the recipe is wrong; nothing was started.
        MulticnnError: it failed while training.
    """
    resume = resume and run.last.exists()  # stopped before its first checkpoint, a run begins anew
    if recipe.training.tensorboard:
        require_tensorboard()
    device = choose_device(recipe.training.device)
    precision = choose_precision(recipe.training.precision, device)
    plan = outline(recipe, device.type)
    for line in plan.parts.notes:
        reporter.note(line)
    model, start = build(plan, reporter, fresh=not resume)
    if recipe.training.freeze and not (start.pretrained or resume):
        reporter.warn("training.freeze keeps weights that have learned nothing, for the network starts from scratch")
    material = read_all(plan, reporter)
    for trouble in material.troubles:
        reporter.warn(f"{trouble.name}: {trouble.reason}; it was left out")
    if resume and not _is_same(run.split, split_table(plan.parts, material.troubles)):
        raise UsageError(
            f"the data are not what they were when the run began ({run.split}); train anew with --overwrite"
        )
    session = Session(plan, material, model, run, reporter, device, precision)
    if not resume:
        if not start.normalised:
            _calibrate(plan, model, material, measure_network=not start.pretrained)
        _fit_at_once(plan, model, material)
        curve = session.search(recipe.training)
        if begin:
            begin()
        run.clear()
        write_pieces(run.split, split_table(plan.parts, material.troubles))
        write_atomically(run.config, dump_recipe(plan.recipe))
        if curve:
            write_curve(run, curve, float(plan.recipe.training.lr))
        keep_start(run, model.network)
    plan.parts = Parts()  # what has been read is in the material; a million names need not be kept beside it
    reporter.note(_headline(plan, material, model, device, precision))
    asked = recipe.training.epochs
    most_epochs = plan.pipeline.most_epochs if asked == "auto" else asked
    try:
        figures = session.go(started, most_epochs, resume)
    except KeyboardInterrupt:
        again = (whole or run).path
        reporter.warn(
            f"interrupted; go on with: multicnn train {command_of(recipe.pipeline)} --output {again} --resume"
        )
        raise
    return Outcome(run.path, figures, material.troubles)


def _is_same(path: Path, pieces: Iterable[str]) -> bool:
    """Whether a file holds this text."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return all(file.read(len(piece)) == piece for piece in pieces) and not file.read(1)


@torch.no_grad()
def _calibrate(plan: Outline, model: Classifier, material: Material, *, measure_network: bool) -> None:
    """Gives the front end the mean and the deviation of the training data, and the network what it measures itself."""
    arrays = material.decoded["train"].arrays
    chosen = np.linspace(0, len(arrays) - 1, min(len(arrays), CALIBRATED_ON)).astype(int)
    inputs = torch.from_numpy(plan.reader.collate([arrays[i] for i in chosen]))
    plan.pipeline.calibrate(model, inputs)
    if measure_network:
        model.network.calibrate(model.frontend(few) for few in torch.split(inputs, CALIBRATION_BATCH))


def _fit_at_once(plan: Outline, model: Classifier, material: Material) -> None:
    """Lets the network set what needs no steps."""
    truth = material.truth["train"]
    balanced = plan.recipe.training.class_balance != "none"
    weights = class_weights(truth, len(plan.labels))[truth] if balanced else None
    model.network.fit_at_once(material.decoded["train"].arrays, truth, weights)


def _headline(
    plan: Outline, material: Material, model: Classifier, device: torch.device, precision: torch.dtype
) -> str:
    counts = material.counts()
    return (
        f"{plan.recipe.model.arch}, {parameter_count(model.network):,} parameters; {len(plan.labels)} classes; "
        f"{counts['train']:,} training, {counts['validation']:,} validation, {counts['test']:,} test examples; "
        f"{device_name(device)}, {str(precision).removeprefix('torch.')}"
    )
