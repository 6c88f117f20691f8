"""`train --ensemble` and `multicnn ensemble`: one model that says the mean of what its members say."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from multicnn.bundle.merge import merge_onnx
from multicnn.bundle.read import open_bundle
from multicnn.inference.predictor import Predictor
from multicnn.recipe_files import load_recipe
from multicnn.training.carry_out import carry_out
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from tests.cli.test_train import wait_for_epochs
from tests.conftest import Cli, restore_interrupt
from tests.tiny_models import image_model, text_model

pytestmark = pytest.mark.xdist_group("ensemble")  # one worker, for they share trained runs

SMALL = ("--set", "model.options.embedding=16", "--set", "model.options.filters=8", "--epochs", "3", "--lr", "0.01")


@pytest.fixture(scope="module")
def run(texts: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members."""
    folder = tmp_path_factory.mktemp("runs") / "both"
    done = cli("train", "text", texts, "-o", folder, "--ensemble", "2", "--seed", "5", *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    return folder


def probabilities(model: Path, texts: list[str]) -> np.ndarray:
    predictor = Predictor(open_bundle(model))
    return predictor.probabilities([predictor.reader.read(text) for text in texts])


def test_it_says_the_mean_of_its_members(run: Path) -> None:
    asked = ["the bread and the apple", "a ship", "my soup of the sea and a tide"]
    members = [probabilities(run / f"member-{number}", asked) for number in (1, 2)]
    assert np.abs(members[0] - members[1]).max() > 1e-4  # other seeds, other weights
    for model in (run, run / "model" / "model.onnx"):
        np.testing.assert_allclose(probabilities(model, asked), np.mean(members, axis=0), atol=1e-6)


def test_members_differ_in_their_seed_and_share_their_data(run: Path) -> None:
    configs = [yaml.safe_load((run / f"member-{number}" / "config.yaml").read_text()) for number in (1, 2)]
    assert [config["training"]["seed"] for config in configs] == [5, 6]
    one, other = ((run / f"member-{number}" / "split.csv").read_text() for number in (1, 2))
    assert one == other


def test_evaluate_gives_exactly_its_figures(run: Path, texts: Path, cli: Cli) -> None:
    figures = json.loads((run / "metrics.json").read_text())
    done = cli("evaluate", run, texts, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == figures["test"]
    assert figures["validation"]["count"] > 0
    own = [json.loads((run / f"member-{number}" / "metrics.json").read_text())["test"] for number in (1, 2)]
    assert [member["test"]["log_loss"] for member in figures["members"]] == [one["log_loss"] for one in own]
    # cross-entropy is convex: the mean of probabilities is never worse than the mean of the losses
    assert figures["test"]["log_loss"] <= np.mean([one["log_loss"] for one in own]) + 1e-9


def test_its_weights_are_those_of_the_members(run: Path) -> None:
    weights = load_file(run / "model" / "weights.safetensors")
    second = load_file(run / "member-2" / "model" / "weights.safetensors")
    name = "network.head.1.weight"
    np.testing.assert_array_equal(weights[f"member2.{name}"], second[name])


def test_info_and_page_tell_what_it_is(run: Path, cli: Cli) -> None:
    assert "ensemble of 2: textcnn" in cli("info", run).stdout
    assert "ensemble of 2: textcnn" in (run / "model" / "README.md").read_text()


def test_predicting_imports_no_torch(run: Path) -> None:
    code = (
        "import sys; from multicnn.cli.main import run\n"
        f"sys.argv = ['multicnn', 'predict', {str(run)!r}, '-', '--format', 'jsonl']\n"
        "try: run()\n"
        "finally: print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], input="a ship\n", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["label"] in ("food", "sea")
    assert done.stderr.strip() == "False"


def test_finished_runs_become_one_model(run: Path, texts: Path, cli: Cli, tmp_path: Path) -> None:
    members = (run / "member-1", run / "member-2")
    done = cli("ensemble", *members, "-o", tmp_path / "new", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["test"] == json.loads((run / "metrics.json").read_text())["test"]
    assert cli("ensemble", *members, "-o", tmp_path / "new").returncode == 2
    assert cli("ensemble", *members, "-o", tmp_path / "new", "--overwrite").returncode == 0
    inside = cli("ensemble", *members, "-o", run, "--overwrite")
    assert (inside.returncode, len(inside.stderr.strip().splitlines())) == (2, 1)
    assert "lies in" in inside.stderr
    assert (run / "member-1" / "metrics.json").exists()


def test_what_members_may_have_seen_is_not_measured(run: Path, texts: Path, cli: Cli, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(run / "member-2", other)
    with (other / "split.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    swapped = {"train": "validation", "validation": "train"}
    with (other / "split.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*row[:2], swapped.get(row[2], row[2]), *row[3:]] for row in rows])
    done = cli("ensemble", run / "member-1", other, "-o", tmp_path / "new", "--json")
    assert done.returncode == 0, done.stderr
    assert "not measured on the validation part" in done.stderr
    made = json.loads(done.stdout)
    assert made["validation"] is None
    assert made["test"]["count"] == 24
    lone = (run / "member-1" / "model" / "model.onnx", run / "member-2" / "model")
    done = cli("ensemble", *lone, "-o", tmp_path / "lone", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["test"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["negative", "neutral"]}, "differ in their classes (neutral is in one only)"),
        ({"labels": ["positive", "negative"]}, "differ in their classes (their order)"),
        ({"reader": {"tokenizer": "whitespace", "vocabulary": [], "max_length": 9, "min_length": 1}}, "vocabulary"),
        ({"reader": None}, "differ in their pipelines (text and image)"),
    ],
)
def test_models_that_are_not_alike_are_refused(
    change: dict[str, object], message: str, cli: Cli, tmp_path: Path
) -> None:
    one = text_model(tmp_path / "one")
    other = (image_model if change == {"reader": None} else text_model)(tmp_path / "other")
    if change != {"reader": None}:
        meta = json.loads((other / "bundle.json").read_text())
        (other / "bundle.json").write_text(json.dumps({**meta, **change}))
    done = cli("ensemble", one, other, "-o", tmp_path / "new")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert message in done.stderr
    assert not (tmp_path / "new").exists()
    assert "at least two" in cli("ensemble", one, "-o", tmp_path / "new").stderr


def test_three_graphs_become_one(tmp_path: Path) -> None:
    models = [image_model(tmp_path / name) / "model.onnx" for name in "abc"]
    merge_onnx(models, tmp_path / "merged.onnx")
    bundle = open_bundle(models[0].parent)
    picture = np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8)
    alone = Predictor(bundle).probabilities([picture, picture])
    merged = Predictor(type(bundle)(bundle.meta, tmp_path / "merged.onnx", None)).probabilities([picture, picture])
    np.testing.assert_allclose(merged, alone, atol=1e-6)


@pytest.mark.slow  # a fold goes the same way
def test_an_interrupted_member_is_resumed(texts: Path, cli: Cli, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "multicnn", "train", "text", str(texts), "-o", str(tmp_path / "cut")]
    process = subprocess.Popen(
        [*command, "--ensemble", "2", *SMALL[:4], "--epochs", "300"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "MULTICNN_OFFLINE": "1"}, preexec_fn=restore_interrupt,
    )  # fmt: skip
    wait_for_epochs(tmp_path / "cut" / "member-2" / "history.csv", 3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert f"--output {tmp_path / 'cut'} --resume" in said
    resumed = cli("train", "text", "-o", tmp_path / "cut", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((tmp_path / "cut" / "metrics.json").read_text())["test"]["count"] == 24


@pytest.mark.slow  # test_tagging.py has one for words
def test_each_fold_may_have_an_ensemble(texts: Path, cli: Cli, tmp_path: Path) -> None:
    manifest = tmp_path / "texts.csv"
    with texts.open(newline="") as file, manifest.open("w", newline="") as other:
        csv.writer(other).writerows([row[:2] for row in csv.reader(file)])
    options = ("--folds", "2", "--ensemble", "2", "--time-budget", "60s", "--set", "training.epochs=1", *SMALL[:4])
    done = cli("train", "text", manifest, "-o", tmp_path / "run", *options)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "fold-2" / "member-2" / "metrics.json").exists()
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    fold = json.loads((tmp_path / "run" / "fold-1" / "metrics.json").read_text())
    assert figures["folds"]["log_loss"]["values"][0] == fold["test"]["log_loss"]
    assert figures["test"]["count"] == 120


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_pictures_and_sounds_have_ensembles_too(kind: str, pictures: Path, sounds: Path, tmp_path: Path) -> None:
    settings = {"data.path": str(pictures if kind == "image" else sounds), "training.ensemble": 2}
    settings |= {"model.arch": "lenet", "training.epochs": 1, "training.device": "cpu"}
    recipe = load_recipe(kind, None, settings)
    outcome = carry_out(recipe, RunFolder(tmp_path / "run"), Reporter(quiet=True), started=0.0)
    predictor, *members = (Predictor(open_bundle(tmp_path / "run" / name)) for name in (".", "member-1", "member-2"))
    example = next(iter(sorted((pictures / "test").rglob("*.png") if kind == "image" else sounds.parent.glob("*.wav"))))
    array = predictor.reader.read(example.read_bytes())
    said = [member.probabilities([array]) for member in members]
    np.testing.assert_allclose(predictor.probabilities([array]), np.mean(said, axis=0), atol=1e-6)
    assert outcome.metrics["test"]["count"] == {"image": 18, "audio": 10}[kind]
