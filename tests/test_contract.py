"""What every architecture of the catalogue promises, in each pipeline: the whole way from data to figures."""

import inspect
import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from multicnn.architectures import AUDIO, build_audio, build_image, names, own_size
from multicnn.bundle.read import open_bundle
from multicnn.catalogue import architecture_class
from multicnn.errors import UsageError
from multicnn.evaluation.evaluate import evaluate
from multicnn.inference.predictor import Predictor
from multicnn.pipeline import load_pipeline
from multicnn.recipe import Recipe
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import outline
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.session import Session
from multicnn.training.train import train

# One of each family (DenseNet with sounds alone); the others differ only in depth and run in `make test-all`.
SMALLEST = {
    "image": (
        *("lenet", "linear", "nin", "allconv", "squeezenet1_1", "mobilenet_v2"),
        *("resnet9", "airbench", "resnet18", "resnet20", "capsnet"),
    ),
    "audio": ("densenet121", "wave1d"),
    "text": ("textcnn_nb", "dcnn", "charcnn", "textcnn_lstm", "textcnn_gru"),
}
# Inputs are so small as an architecture takes them: what is tested does not depend on their size.
SIDES = (24, 32, 48, 64, 80)
SAMPLES = 3200  # in one of the sounds
# The logarithm of a probability below which float32 has few digits, and soon none.
LEAST = -80.0


def _marks(kind: str, name: str) -> list[pytest.MarkDecorator]:
    """All tests of an architecture go to one worker, for they share one training."""
    group = pytest.mark.xdist_group(f"{kind}-{name}")
    return [group] if name in SMALLEST[kind] else [group, pytest.mark.slow]


ALL = [
    pytest.param((kind, name), id=f"{kind}-{name}", marks=_marks(kind, name))
    for kind in SMALLEST
    for name in names(kind)
]


@pytest.fixture(scope="module")
def data(few_pictures: Path, sounds: Path, texts: Path) -> dict[str, Path]:
    return {"image": few_pictures, "audio": sounds, "text": texts}


@cache
def smallest_side(name: str) -> int:
    """The least of the sides that an architecture for pictures or spectrograms takes."""
    build: Any = build_audio if name in AUDIO else build_image

    def takes(side: int) -> bool:
        try:
            build(name, classes=3, size=(side, side))
        except UsageError:
            return False
        return True

    with torch.device("meta"):
        return next(side for side in SIDES if takes(side))


def small(kind: str, name: str) -> dict[str, Any]:
    """The settings that make the inputs small, and the fully connected layers of AlexNet and its kin narrow."""
    if kind == "text" or name == "auto" or len(own_size(name, kind)) == 1:
        return {}
    hidden = "hidden" in inspect.signature(architecture_class(name)).parameters
    settings: dict[str, Any] = {"model.options": {"hidden": 64}} if hidden else {}
    side = smallest_side(name)
    if kind == "image":
        return settings | {"image.size": side}
    return settings | {"audio.mel.n_mels": side, "audio.mel.hop": SAMPLES // (side - 1)}


# Nothing but the pictures themselves, in batches that batch normalisation makes something of, from a gentle start.
BY_HEART: dict[str, dict[str, Any]] = {
    "image": {"augment.flip": False, "augment.crop": 0},
    "audio": {
        **{f"augment.{key}": 0 for key in ("gain", "shift", "time_mask", "frequency_mask")},
        "training.epochs": 16,  # of the sounds there is one batch in each
        "training.lr": 1e-3,
    },
    "text": {"augment.word_dropout": 0, "augment.rare_dropout": 0},
}
LEARNING = {"training.epochs": 8, "training.batch_size": 32, "training.warmup": 0.3}


def recipe(kind: str, name: str, data: Path, **settings: Any) -> Recipe:
    return load_recipe(
        kind,
        None,
        {
            "data.path": str(data),
            "model.arch": name,
            "model.weights": "none",
            **small(kind, name),
            "training.epochs": 1,
            "training.batch_size": 8,
            "training.device": "cpu",
            "training.precision": "fp32",
            **settings,
        },
    )


@pytest.fixture(scope="module", params=ALL)
def architecture(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A pipeline and one of its architectures."""
    kind, name = request.param
    return kind, name


@pytest.fixture(scope="module")
def trained(
    architecture: tuple[str, str], data: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, Path]]:
    """One short training of each architecture."""
    kind, name = architecture
    run = tmp_path_factory.mktemp("contract") / name
    train(recipe(kind, name, data[kind]), RunFolder(run), Reporter(quiet=True), started=0.0)
    yield kind, name, run
    shutil.rmtree(run.parent)  # all of them together would fill a disk


def test_predict_and_evaluate_say_what_metrics_json_says(trained: tuple[str, str, Path], data: dict[str, Path]) -> None:
    kind, _, run = trained
    written = json.loads((run / "metrics.json").read_text())
    figures, troubles = evaluate(run, str(data[kind]))
    assert not troubles
    assert figures == written["test"]
    predictor = Predictor(open_bundle(run))
    plan = outline(recipe(kind, "auto", data[kind]), "cpu")
    answers = [
        predictor.labels[predictor.probabilities([predictor.reader.read(example.load())])[0].argmax()]
        for example in plan.parts.test
    ]
    right = np.mean([answer == example.label for answer, example in zip(answers, plan.parts.test, strict=True)])
    assert right == pytest.approx(written["test"]["accuracy"], abs=1e-12)


def test_the_exported_graph_answers_as_torch_does(trained: tuple[str, str, Path], data: dict[str, Path]) -> None:
    kind, name, run = trained
    plan = outline(recipe(kind, name, data[kind]), "cpu")
    model = load_pipeline(kind).network(plan.recipe, plan.reader, len(plan.labels))
    missing, unexpected = model.load_state_dict(load_file(run / "model" / "weights.safetensors"), strict=True)
    assert not missing
    assert not unexpected
    model.eval()
    arrays = [plan.reader.read(example.load()) for example in plan.parts.test[:5]]
    with torch.no_grad():
        logits = model(torch.from_numpy(plan.reader.collate(arrays)))
    exported = np.log(np.maximum(Predictor(open_bundle(run)).probabilities(arrays), np.exp(LEAST)))
    # logits are determined up to a constant, which the softmax takes away
    expected = np.maximum(logits.log_softmax(1).numpy(), LEAST)
    np.testing.assert_allclose(exported, expected, atol=1e-4 * logits.abs().max().item(), rtol=0)


@pytest.fixture
def without_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training ends with its last checkpoint: exporting and measuring take longer than it does."""
    monkeypatch.setattr(Session, "_finish", lambda *_: {})


@pytest.mark.usefixtures("without_export")
def test_the_loss_goes_down(architecture: tuple[str, str], data: dict[str, Path], tmp_path: Path) -> None:
    kind, name = architecture
    learns = recipe(kind, name, data[kind], **(LEARNING | BY_HEART[kind]))
    outcome = train(learns, RunFolder(tmp_path / "run"), Reporter(quiet=True), started=0.0)
    history = (outcome.run / "history.csv").read_text().splitlines()
    column = history[0].split(",").index("train_loss")
    losses = [float(row.split(",")[column]) for row in history[1:]]
    assert np.mean(losses[-3:]) < losses[0]


@pytest.mark.usefixtures("without_export")
def test_one_seed_gives_one_model(trained: tuple[str, str, Path], data: dict[str, Path], tmp_path: Path) -> None:
    kind, name, run = trained
    train(recipe(kind, name, data[kind]), RunFolder(tmp_path / "again"), Reporter(quiet=True), started=0.0)
    one, other = (load_file(RunFolder(folder).best) for folder in (run, tmp_path / "again"))
    assert set(one) == set(other)
    assert all(torch.equal(one[key], other[key]) for key in one)
