"""What every architecture of the catalogue promises, in each pipeline: the whole way from data to figures."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from multicnn.architectures import names
from multicnn.bundle.read import open_bundle
from multicnn.evaluation.evaluate import evaluate
from multicnn.inference.predictor import Predictor
from multicnn.pipeline import load_pipeline
from multicnn.recipe import Recipe
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import outline
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.train import train

# One of each family; the others differ only in depth and run in `make test-all`.
SMALLEST = {
    "image": ("lenet", "linear", "resnet9", "resnet18", "densenet121"),
    "audio": ("densenet121", "wave1d"),
    "text": ("textcnn", "dcnn", "charcnn", "textcnn_lstm", "textcnn_gru"),
}
ALL = [
    pytest.param((kind, name), id=f"{kind}-{name}", marks=() if name in SMALLEST[kind] else pytest.mark.slow)
    for kind in SMALLEST
    for name in names(kind)
]


@pytest.fixture(scope="module")
def data(pictures: Path, sounds: Path, texts: Path) -> dict[str, Path]:
    return {"image": pictures, "audio": sounds, "text": texts}


def recipe(kind: str, name: str, data: Path, epochs: int = 1) -> Recipe:
    return load_recipe(
        kind,
        None,
        {
            "data.path": str(data),
            "model.arch": name,
            "model.weights": "none",
            "training.epochs": epochs,
            "training.batch_size": 16,
            "training.device": "cpu",
            "training.precision": "fp32",
        },
    )


@pytest.fixture(scope="module", params=ALL)
def trained(
    request: pytest.FixtureRequest, data: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, Path]]:
    """One short training of each architecture."""
    kind, name = request.param
    run = tmp_path_factory.mktemp("contract") / name
    train(recipe(kind, name, data[kind]), RunFolder(run), Reporter(quiet=True), started=0.0)
    return kind, name, run


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
    exported = np.log(Predictor(open_bundle(run)).probabilities(arrays))
    # logits are determined up to a constant, which the softmax takes away
    np.testing.assert_allclose(exported, logits.log_softmax(1).numpy(), atol=1e-4 * logits.abs().max().item(), rtol=0)


def test_the_loss_goes_down(trained: tuple[str, str, Path], data: dict[str, Path], tmp_path: Path) -> None:
    kind, name, _ = trained
    outcome = train(
        recipe(kind, name, data[kind], epochs=4), RunFolder(tmp_path / "run"), Reporter(quiet=True), started=0.0
    )
    history = (outcome.run / "history.csv").read_text().splitlines()
    column = history[0].split(",").index("train_loss")
    losses = [float(row.split(",")[column]) for row in history[1:]]
    assert losses[-1] < losses[0]


def test_one_seed_gives_one_model(trained: tuple[str, str, Path], data: dict[str, Path], tmp_path: Path) -> None:
    kind, name, run = trained
    train(recipe(kind, name, data[kind]), RunFolder(tmp_path / "again"), Reporter(quiet=True), started=0.0)
    one, other = (load_file(folder / "model" / "weights.safetensors") for folder in (run, tmp_path / "again"))
    assert set(one) == set(other)
    assert all(torch.equal(one[key], other[key]) for key in one)
