"""Everything before the first step: data opened and divided, the recipe settled, every example read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from multicnn.blocks.classifier import Classifier
from multicnn.data.decode import Decoded, collect, decode, worker_count
from multicnn.data.example import Trouble
from multicnn.data.examples import classes
from multicnn.data.parts import Parts, divide
from multicnn.data.recordings import cut, first_pieces
from multicnn.data.spans import both_tags
from multicnn.data.texts import collect_texts
from multicnn.errors import UsageError
from multicnn.pipeline import ManyReader, Pipeline, Reader, load_pipeline
from multicnn.recipe import Recipe, settle_loss
from multicnn.training.caching import open_cache
from multicnn.training.freezing import check_freeze
from multicnn.training.progress import Reporter
from multicnn.training.stages import output_layer
from multicnn.training.start import Start, start_weights, take_network


@dataclass(slots=True)
class Outline:
    """What will be trained on what: enough for --dry-run."""

    recipe: Recipe
    pipeline: Pipeline
    reader: Reader
    parts: Parts
    labels: list[str]


@dataclass(slots=True)
class Material:
    """The examples of each part, read, with their classes as numbers; of pieces, where examples are read in pieces."""

    decoded: dict[str, Decoded]
    truth: dict[str, np.ndarray]
    troubles: list[Trouble]

    def counts(self) -> dict[str, int]:
        """Usable examples in each part."""
        return {name: len(first_pieces(decoded.owner)) for name, decoded in self.decoded.items()}


def outline(recipe: Recipe, device: str) -> Outline:
    """Opens and divides the data and settles how it is read.

    Args:
        recipe: as it was asked for.
        device: the type of the device that will train.

    Raises:
        UsageError: the data's layout is wrong.
    """
    if not recipe.data.path:
        raise UsageError("no data: name a folder, a manifest, an archive or sample:NAME")
    parts = divide(recipe.data, recipe.pipeline, recipe.training.seed)
    pipeline = load_pipeline(recipe.pipeline)
    settled, reader = pipeline.settle(take_network(recipe), parts.train, device)
    parts.notes += pipeline.notes
    labels = both_tags(parts.labels) if recipe.pipeline == "tokens" else parts.labels
    return Outline(settled, pipeline, reader, parts, labels)


def build(plan: Outline, reporter: Reporter, *, fresh: bool = True, download: bool = True) -> tuple[Classifier, Start]:
    """The model of an outline, with the weights that it starts from; settles the training section on the way.

    Args:
        plan: its recipe is changed in place.
        reporter: says which weights were loaded.
        fresh: find those weights; a resumed run has its own.
        download: whether weights may be fetched.

    Raises:
        UsageError: the weights cannot be had, or a setting does not fit the network.
    """
    torch.manual_seed(plan.recipe.training.seed)
    model = plan.pipeline.network(plan.recipe, plan.reader, len(plan.labels))
    if plan.recipe.model.fold == "on" and not model.network.foldable:
        raise UsageError(f"{plan.recipe.model.arch} with these options cannot be folded; leave out model.fold")
    settle_loss(plan.recipe.training, model.network.loss)
    start = start_weights(plan.recipe, model, reporter, download) if fresh else Start()
    plan.pipeline.settle_training(plan.recipe, len(plan.parts.train), model.network, start.gentle)
    _check_training(plan, model)
    return model, start


def _check_training(plan: Outline, model: Classifier) -> None:
    """Makes sure that what the recipe says of the network's layers can be done with this one."""
    rows = output_layer(model.network).shape[0]
    if plan.recipe.training.max_norm and rows != len(plan.labels):
        raise UsageError(
            f"training.max_norm needs a last layer with a row a class; {plan.recipe.model.arch}'s has {rows} rows for "
            f"{len(plan.labels)} classes; leave it out"
        )
    check_freeze(model.network, plan.recipe.training)


def read_all(plan: Outline, reporter: Reporter) -> Material:
    """Reads every example of every part.

    Args:
        plan: from `outline`.
        reporter: shows a bar.

    Raises:
        UsageError: nothing of a class can be read.
    """
    workers = worker_count(plan.recipe.data.workers)
    number = {label: index for index, label in enumerate(plan.labels)}
    material = Material({}, {}, list(plan.parts.troubles))
    if isinstance(plan.reader, ManyReader) and not plan.reader.windows:
        read = _read_together(plan, plan.reader, workers)
    else:
        read = _read_each(plan, workers, reporter)
    for name, decoded in read:
        material.decoded[name] = decoded
        material.truth[name] = np.array([number[str(label)] for label in decoded.labels], dtype=np.int64)
        material.troubles += decoded.troubles
    lost = [label for label in classes(plan.parts.train) if number[label] not in material.truth["train"]]
    if lost:
        first = next((trouble for trouble in material.troubles), None)
        reason = f"; the first: {first.name}: {first.reason}" if first else ""
        raise UsageError(f"nothing that can be read to train on for the classes {', '.join(lost)}{reason}")
    if not len(material.truth["validation"]):
        raise UsageError("none of the validation examples can be read; name others with --val")
    return material


def _read_together(plan: Outline, reader: ManyReader, workers: int) -> Iterator[tuple[str, Decoded]]:
    """Reads the texts of each part, many at a time."""
    for name, examples in plan.parts.named().items():
        yield name, collect_texts(examples, reader, workers)


def _read_each(plan: Outline, workers: int, reporter: Reporter) -> Iterator[tuple[str, Decoded]]:
    """Reads the examples of each part one by one, or takes them from the cache."""
    parts = {name: cut(some, plan.reader, training=name == "train") for name, some in plan.parts.named().items()}
    cached = open_cache(plan.recipe, parts, plan.reader, workers, reporter)
    for name, pieces in parts.items():
        if cached:
            yield name, cached.read(name, pieces, reporter)
        else:
            stream = decode(pieces.examples, plan.reader, workers)
            yield name, collect(pieces, reporter.track(stream, len(pieces.examples), f"reading {name}"))
