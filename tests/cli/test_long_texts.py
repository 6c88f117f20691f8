"""Long texts from training to prediction: read window by window, answered as a whole."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from multicnn.bundle.read import open_bundle
from multicnn.inference.predictor import Predictor
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import outline, read_all
from multicnn.training.progress import Reporter
from tests.conftest import WORDS, Cli

pytestmark = pytest.mark.xdist_group("long_texts")  # one worker, for they share trained runs

LENGTH = 10
WINDOWS = ("--set", "text.truncate=windows", "--set", f"text.max_length={LENGTH}")


def long_text(words: str, rng: np.random.Generator, length: int) -> str:
    """Words that say nothing, and two behind them that do."""
    return " ".join([*rng.choice(["the", "a", "and", "of", "my"], length - 2), *rng.choice(words.split(), 2)])


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of 4 to 34 words, which their last two decide."""
    path = tmp_path_factory.mktemp("long") / "texts.csv"
    rng = np.random.default_rng(0)
    rows = [
        (long_text(words, rng, 4 + index % 31), name, "test" if index < 31 else "train")
        for name, words in WORDS.items()
        for index in range(155)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "split"), *rows])
    return path


@pytest.fixture(scope="module")
def run(manifest: Path, cli: Cli) -> Path:
    options = ("--arch", "textcnn", "--epochs", "3", "--batch-size", "8", "--device", "cpu")
    done = cli("train", "text", manifest, "-o", manifest.parent / "run", *options, *WINDOWS)
    assert done.returncode == 0, done.stderr
    return manifest.parent / "run"


def test_a_text_counts_once_however_many_windows_it_has(run: Path) -> None:
    figures = json.loads((run / "metrics.json").read_text())
    assert figures["test"]["count"] == figures["last_epoch"]["test"]["count"] == 62
    assert figures["test"]["accuracy"] > 0.9


def test_evaluate_gives_the_figures_of_the_run(run: Path, manifest: Path, cli: Cli) -> None:
    done = cli("evaluate", run, manifest, "--json")
    assert json.loads(done.stdout) == json.loads((run / "metrics.json").read_text())["test"]


def test_predict_answers_by_the_mean_of_the_windows(run: Path, cli: Cli, tmp_path: Path) -> None:
    text = "the a and of my ship harbour and of the a my bread soup and the of"
    words = text.split()
    assert len(words) == 17
    predictor = Predictor(open_bundle(run))
    windows = [" ".join(words[start : start + LENGTH]) for start in (0, 5, 7)]
    expected = np.mean([predictor.probabilities([predictor.reader.read(one)])[0] for one in windows], axis=0)
    (tmp_path / "a.txt").write_text(text)
    done = cli("predict", run, "--text", text, "--text", "", "--text", "my ship", tmp_path / "a.txt", "-", stdin=text)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    assert [one["input"] for one in told] == [text, "", "my ship", str(tmp_path / "a.txt"), text]
    assert told[1]["error"] == "the text is empty"
    assert told[2]["label"] == "sea"
    for one in (told[0], told[3], told[4]):
        found = [one["scores"][label] for label in predictor.labels]
        np.testing.assert_allclose(found, expected, atol=2e-6)


def test_predict_on_the_manifest_is_as_good_as_evaluate_says(run: Path, manifest: Path, cli: Cli) -> None:
    told = [json.loads(line) for line in cli("predict", run, manifest).stdout.splitlines()]
    with manifest.open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [one["label"] == row["label"] for one, row in zip(told, rows, strict=True) if row["split"] == "test"]
    assert np.mean(right) == json.loads((run / "metrics.json").read_text())["test"]["accuracy"]


def test_each_window_is_learned_from(manifest: Path) -> None:
    settings = {"data.path": str(manifest), "text.max_length": LENGTH, "text.truncate": "windows"}
    plan = outline(load_recipe("text", None, settings), "cpu")
    material = read_all(plan, Reporter(quiet=True))
    lengths = [len(example.content.split()) for example in plan.parts.train]
    windows = sum(1 + -(-max(0, length - LENGTH) // 5) for length in lengths)
    assert material.counts()["train"] == len(lengths)
    assert len(material.truth["train"]) == windows > 2 * len(lengths)
    assert all(len(array) <= LENGTH for array in material.decoded["train"].arrays)


def test_folds_and_ensembles_count_texts_too(manifest: Path, cli: Cli, tmp_path: Path) -> None:
    undivided = tmp_path / "texts.csv"
    undivided.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in manifest.read_text().splitlines()))
    options = ("--arch", "textcnn", "--epochs", "1", "--device", "cpu", *WINDOWS)
    done = cli("train", "text", undivided, "-o", tmp_path / "folds", *options, "--folds", "2", "--ensemble", "2")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "folds" / "metrics.json").read_text())["test"]["count"] == 310
    with (tmp_path / "folds" / "predictions.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 310


def test_an_overlap_without_windows_is_refused(manifest: Path, cli: Cli) -> None:
    done = cli("train", "text", manifest, "--set", "text.overlap=0.2")
    assert done.returncode == 2
    assert "set text.truncate to windows" in done.stderr


def test_features_are_the_mean_of_the_windows_and_numbers_those_of_the_first(
    run: Path, cli: Cli, tmp_path: Path
) -> None:
    long = "the and of my a the and of my a the and of my a the bread soup"
    words = long.split()
    starts = [0, 5, 8]  # the last window ends with the text
    pieces = [" ".join(words[start : start + LENGTH]) for start in starts]
    for name, texts in {"whole": [long], "pieces": pieces}.items():
        for layer in ("penultimate", "frontend"):
            options = [one for text in texts for one in ("--text", text)]
            done = cli("features", run, *options, "--layer", layer, "-o", tmp_path / f"{name}-{layer}.npy", "-q")
            assert done.returncode == 0, done.stderr
    found = {path.stem: np.load(path) for path in tmp_path.glob("*.npy")}
    np.testing.assert_allclose(found["whole-penultimate"][0], found["pieces-penultimate"].mean(axis=0), atol=1e-5)
    np.testing.assert_array_equal(found["whole-frontend"][0], found["pieces-frontend"][0])
