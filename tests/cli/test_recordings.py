"""Long recordings from training to prediction: heard window by window, answered as a whole or in time."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_models import image_model

from multicnn.bundle.read import open_bundle
from multicnn.inference.predictor import Predictor
from multicnn.inference.recordings import timeline
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import outline, read_all
from multicnn.training.progress import Reporter
from tests.conftest import PITCHES, Cli

pytestmark = pytest.mark.xdist_group("recordings")  # one worker, for they share trained runs

RATE = 8000


def tone(pitch: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.3 * np.sin(2 * np.pi * pitch * rng.uniform(0.8, 1.25) * time) + rng.normal(0, 0.02, len(time))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of recordings of 1.3 s: three times as long as the clips that a network hears."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    rows = []
    for name, pitch in PITCHES.items():
        for index in range(20):
            soundfile.write(folder / f"{name}{index}.wav", tone(pitch, 1.3, rng), RATE)
            rows.append((f"{name}{index}.wav", name, "test" if index < 5 else "train"))
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    both = np.concatenate([tone(PITCHES["high"], 1.0, rng), tone(PITCHES["low"], 1.0, rng)])
    soundfile.write(folder / "both.flac", both, RATE)
    (folder / "broken.wav").write_bytes(b"no sound at all")
    return folder


@pytest.fixture(scope="module")
def run(recordings: Path, cli: Cli) -> Path:
    quick = ("--arch", "lenet", "--epochs", "6", "--batch-size", "8", "--set", "audio.duration=0.4")
    done = cli("train", "audio", recordings / "list.csv", "-o", recordings / "run", *quick)
    assert done.returncode == 0, done.stderr
    return recordings / "run"


def test_long_recordings_are_cut_of_themselves_and_counted_as_one(run: Path) -> None:
    reader = json.loads((run / "model" / "bundle.json").read_text())["reader"]
    assert (reader["windows"], reader["overlap"], reader["samples"]) == (True, 0.5, 3200)
    figures = json.loads((run / "metrics.json").read_text())
    assert figures["test"]["count"] == 10
    assert figures["test"]["accuracy"] == 1.0
    assert figures["last_epoch"]["test"]["count"] == 10


def test_evaluate_gives_the_figures_of_the_run(run: Path, recordings: Path, cli: Cli) -> None:
    done = cli("evaluate", run, recordings / "list.csv", "--json")
    assert json.loads(done.stdout) == json.loads((run / "metrics.json").read_text())["test"]


def test_a_recording_is_answered_by_the_mean_of_its_windows(run: Path, recordings: Path, cli: Cli) -> None:
    files = [recordings / "high0.wav", recordings / "both.flac", recordings / "both.flac"]
    answers = [json.loads(line) for line in cli("predict", run, *files).stdout.splitlines()]
    windows = [json.loads(line) for line in cli("predict", run, *files, "--timeline").stdout.splitlines()]
    assert [one["input"] for one in answers] == list(map(str, files))
    assert len(windows) == 6 + 9 + 9
    for answer, some in zip(answers, (windows[:6], windows[6:15], windows[15:]), strict=True):
        assert {one["input"] for one in some} == {answer["input"]}
        assert answer["scores"]["high"] == pytest.approx(np.mean([one["scores"]["high"] for one in some]), abs=2e-6)
    assert windows[6:15] == windows[15:]


def test_the_timeline_says_what_is_heard_when(run: Path, recordings: Path, cli: Cli) -> None:
    done = cli("predict", run, recordings / "both.flac", recordings / "broken.wav", "--timeline")
    *windows, broken = map(json.loads, done.stdout.splitlines())
    assert list(windows[0]) == ["input", "start", "end", "label", "score", "scores"]
    assert [(one["start"], one["end"]) for one in windows[:2]] == [(0.0, 0.4), (0.2, 0.6)]
    assert [one["label"] for one in windows if one["end"] <= 1] == ["high"] * 4
    assert [one["label"] for one in windows if one["start"] >= 1] == ["low"] * 4
    assert windows[-1]["end"] == 2.0
    assert list(broken) == ["input", "error"]
    assert done.returncode == 3


def test_the_timeline_from_python_is_the_same(run: Path, recordings: Path, cli: Cli) -> None:
    files = [recordings / "both.flac", recordings / "broken.wav"]
    done = cli("predict", run, *files, "--timeline")
    assert list(timeline(Predictor(open_bundle(run)), *files)) == [
        json.loads(line) for line in done.stdout.splitlines()
    ]


def test_the_timeline_as_a_table_has_columns_for_it(run: Path, recordings: Path, cli: Cli) -> None:
    done = cli("predict", run, recordings / "both.flac", "--timeline", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert list(rows[0])[:5] == ["input", "start", "end", "label", "score"]
    assert (rows[1]["start"], rows[1]["end"], rows[1]["label"]) == ("0.2", "0.6", "high")
    assert "0.20 to 0.60 s" in cli("predict", run, recordings / "both.flac", "--timeline", "--format", "table").stdout


def test_the_timeline_is_for_sounds(tmp_path: Path, cli: Cli) -> None:
    done = cli("predict", image_model(tmp_path / "m"), tmp_path, "--timeline")
    assert done.returncode == 2
    assert "models of sounds" in done.stderr


@pytest.mark.parametrize(("fit", "train"), [("loudest", 1), ("crop", 6)])
def test_crop_has_stretches_to_draw_from_in_training_alone(recordings: Path, fit: str, train: int) -> None:
    settings = {"data.path": str(recordings / "list.csv"), "audio.duration": 0.4}
    plan = outline(load_recipe("audio", None, settings | {"audio.fit": fit}), "cpu")
    material = read_all(plan, Reporter(quiet=True))
    assert material.counts() == {"train": 26, "validation": 4, "test": 10}
    assert len(material.truth["train"]) == 26 * train
    assert len(material.truth["validation"]) == 4


def test_segments_of_a_manifest_are_learned_measured_and_answered(recordings: Path, cli: Cli) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for part, count in (("train", 16), ("val", 4), ("test", 4)):
        pieces = []
        for index in range(count):
            name = ("high", "low")[index % 2]
            pieces.append(tone(PITCHES[name], 0.4, rng))
            rows.append((f"{part}.flac", name, part, 0.4 * index, 0.4 * (index + 1)))
        soundfile.write(recordings / f"{part}.flac", np.concatenate(pieces), RATE)
    with (recordings / "segments.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split", "start", "end"), *rows])
    run = recordings / "segments"
    done = cli("train", "audio", recordings / "segments.csv", "-o", run, "--arch", "lenet", "--epochs", "20")
    assert done.returncode == 0, done.stderr
    assert "only the seconds from its start to its end column" in done.stderr
    figures = json.loads((run / "metrics.json").read_text())["test"]
    assert figures["accuracy"] == 1.0
    assert json.loads(cli("evaluate", run, recordings / "segments.csv", "--json").stdout) == figures
    told = [json.loads(line) for line in cli("predict", run, recordings / "segments.csv").stdout.splitlines()]
    assert told[1]["input"].endswith("train.flac:0.4-0.8")
    assert [one["label"] for one in told[-4:]] == ["high", "low"] * 2
