"""`multicnn train`, as a user runs it: what it writes, prints and answers, and how it goes on after a stop."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from multicnn.bundle.read import open_bundle
from multicnn.inference.lookups import open_lookups
from tests.conftest import Cli, restore_interrupt

pytestmark = pytest.mark.xdist_group("train")  # one worker, for they share trained runs

QUICK = {
    "image": ("--arch", "lenet", "--epochs", "6", "--batch-size", "8"),
    "audio": ("--arch", "lenet", "--epochs", "15", "--batch-size", "8"),
    "text": (
        "--epochs",
        "20",
        "--batch-size",
        "8",
        "--set",
        "model.options.embedding=16",
        "--set",
        "model.options.filters=8",
    ),
}


@pytest.fixture(scope="session")
def data(pictures: Path, sounds: Path, texts: Path) -> dict[str, Path]:
    return {"image": pictures, "audio": sounds, "text": texts}


@pytest.fixture(scope="session")
def runs(data: dict[str, Path], cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One run of each pipeline."""
    folder = tmp_path_factory.mktemp("runs")
    for kind, path in data.items():
        done = cli("train", kind, path, "--output", folder / kind, *QUICK[kind])
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(folder / kind)
    return {kind: folder / kind for kind in data}


@pytest.mark.parametrize("kind", QUICK)
def test_a_run_has_everything_and_learned(kind: str, runs: dict[str, Path]) -> None:
    run = runs[kind]
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert names == {
        "config.yaml", "split.csv", "history.csv", "metrics.json", "drift.json",
        "model/model.onnx", "model/weights.safetensors", "model/bundle.json", "model/README.md",
        "checkpoints/last.safetensors", "checkpoints/best.safetensors",
    }  # fmt: skip
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["format"] == 1
    assert metrics["test"]["accuracy"] >= 0.9
    assert set(metrics["last_epoch"]) == {"validation", "test"}
    rows = list(csv.DictReader((run / "history.csv").open()))
    assert len(rows) == yaml.safe_load((run / "config.yaml").read_text())["training"]["epochs"]
    best = rows[metrics["best_epoch"] - 1]["validation_accuracy"]
    assert float(best) == max(float(row["validation_accuracy"]) for row in rows)


@pytest.mark.parametrize("kind", QUICK)
def test_evaluate_gives_exactly_the_figures_of_the_run(
    kind: str, runs: dict[str, Path], data: dict[str, Path], cli: Cli
) -> None:
    done = cli("evaluate", runs[kind], data[kind], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((runs[kind] / "metrics.json").read_text())["test"]


@pytest.mark.parametrize("kind", QUICK)
def test_the_model_file_works_alone(
    kind: str, runs: dict[str, Path], data: dict[str, Path], cli: Cli, tmp_path: Path
) -> None:
    shutil.copy(runs[kind] / "model" / "model.onnx", tmp_path / "alone.onnx")
    done = cli("evaluate", tmp_path / "alone.onnx", data[kind], "--json")
    assert json.loads(done.stdout) == json.loads((runs[kind] / "metrics.json").read_text())["test"]


def test_the_default_network_of_texts_predicts_lines_as_it_was_measured(
    runs: dict[str, Path], data: dict[str, Path], cli: Cli
) -> None:
    assert open_lookups(open_bundle(runs["text"])) is not None
    rows = [row for row in csv.DictReader(data["text"].open()) if row["split"] == "test"]
    done = cli("predict", runs["text"], "-", stdin="".join(f"{row['text']}\n" for row in rows))
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line)["label"] for line in done.stdout.splitlines()]
    right = [answer == row["label"] for answer, row in zip(answers, rows, strict=True)]
    measured = json.loads((runs["text"] / "metrics.json").read_text())["test"]
    assert np.mean(right) == pytest.approx(measured["accuracy"])


@pytest.mark.parametrize("kind", QUICK)
def test_split_csv_names_every_example_once(kind: str, runs: dict[str, Path]) -> None:
    rows = list(csv.DictReader((runs[kind] / "split.csv").open()))
    assert len({row["name"] for row in rows}) == len(rows)
    assert {row["split"] for row in rows} == {"train", "validation", "test"}


def test_the_written_recipe_repeats_the_run(runs: dict[str, Path], cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", "--recipe", runs["image"] / "config.yaml", "--output", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    before, after = (load_file(run / "model" / "weights.safetensors") for run in (runs["image"], tmp_path / "again"))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def wait_for_epochs(history: Path, count: int) -> None:
    for _ in range(600):
        if history.exists() and len(history.read_text().splitlines()) > count:
            return
        time.sleep(0.1)
    raise AssertionError("no epoch ended in a minute")


RANDOM = {"image": ("flip=alternating", "mixup=0.2", "cutmix=1.0")}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "text" else pytest.mark.slow) for kind in QUICK]
)
def test_an_interrupted_run_resumes_bit_for_bit(kind: str, data: dict[str, Path], cli: Cli, tmp_path: Path) -> None:
    """Ctrl-C in the middle: status 130, and the resumed run ends with the very weights of the uninterrupted one."""
    many = [*QUICK[kind], "--set", "training.ema=0.9", "--set", "training.epochs=200"]
    many += [part for one in RANDOM.get(kind, ()) for part in ("--set", f"augment.{one}")]
    common = [a for i, a in enumerate(many) if a != "--epochs" and (i == 0 or many[i - 1] != "--epochs")]
    whole = cli("train", kind, data[kind], "--output", tmp_path / "whole", *common)
    assert whole.returncode == 0, whole.stderr
    command = [
        sys.executable,
        "-m",
        "multicnn",
        "train",
        kind,
        str(data[kind]),
        "--output",
        str(tmp_path / "cut"),
        *common,
    ]
    environment = {**os.environ, "MULTICNN_OFFLINE": "1"}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=restore_interrupt
    )
    wait_for_epochs(tmp_path / "cut" / "history.csv", 3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume" in said
    assert not (tmp_path / "cut" / "model").exists()
    resumed = cli("train", kind, "--output", tmp_path / "cut", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    one, other = (load_file(tmp_path / name / "checkpoints" / "last.safetensors") for name in ("whole", "cut"))
    assert set(one) == set(other)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_time_budget_is_kept_and_stored(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "train",
        "image",
        pictures,
        "-o",
        tmp_path / "run",
        "--arch",
        "lenet",
        "--batch-size",
        "8",
        "--time-budget",
        "25s",
    )
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").open()))
    assert config["training"]["epochs"] == len(rows) <= 200
    assert float(rows[-1]["lr"]) < 0.2 * max(float(row["lr"]) for row in rows)


def test_a_budget_that_is_over_at_once_still_gives_a_model(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    quick = ("--arch", "lenet", "--batch-size", "8", "--time-budget", "1s", "--json")
    done = cli("train", "image", pictures, "-o", tmp_path / "run", *quick)
    assert done.returncode == 0, done.stderr
    assert "the time budget left 1 of the 8 steps of an epoch" in done.stderr
    assert json.loads(done.stdout)["test"]["count"] == 18
    assert len(list(csv.DictReader((tmp_path / "run" / "history.csv").open()))) == 1
    assert cli("evaluate", tmp_path / "run", pictures).returncode == 0


def test_a_run_that_is_there_is_not_touched(runs: dict[str, Path], pictures: Path, cli: Cli) -> None:
    before = (runs["image"] / "metrics.json").read_bytes()
    assert cli("train", "image", pictures, "--output", runs["image"]).returncode == 2
    wrong = cli("train", "image", pictures / "nowhere", "--output", runs["image"], "--overwrite")
    assert wrong.returncode == 2
    assert (runs["image"] / "metrics.json").read_bytes() == before


def test_a_dry_run_plans_and_writes_nothing(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", pictures, "--arch", "lenet", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["examples"] == {"train": 66, "validation": 6, "test": 18}
    assert plan["classes"]["red"] == {"train": 22, "validation": 2, "test": 6}
    assert plan["parameters"] > 10_000
    assert plan["memory"]["total"] > plan["memory"]["weights"] > plan["parameters"] * 4
    assert not any(tmp_path.iterdir())
    table = cli("train", "image", pictures, "--arch", "lenet", "--dry-run", cwd=tmp_path)
    assert table.returncode == 0
    assert "parameters" in table.stdout


def test_a_broken_example_is_named_and_left_out(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(pictures, tmp_path / "data")
    (tmp_path / "data" / "train" / "red" / "00.png").write_bytes(b"no picture")
    done = cli("train", "image", tmp_path / "data", "-o", tmp_path / "run", "--arch", "lenet", "--epochs", "1")
    assert done.returncode == 3
    assert "train/red/00.png" in done.stderr
    rows = {row["name"]: row for row in csv.DictReader((tmp_path / "run" / "split.csv").open())}
    assert rows["train/red/00.png"]["left_out"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--arch", "lenett"), "did you mean lenet?"),
        (("--set", "training.epoch=3"), "did you mean training.epochs?"),
        (("--epoch", "3"), "--epochs"),
        (("--device", "cuda:77"), "CUDA"),
        (("--weights", "imagenet", "--arch", "resnet18"), "resnet18-f37072fd.pth"),
        (("--time-budget", "soon"), "90s, 10m or 2h"),
        (("--val", "1.5"), "between 0 and 1"),
        (("--recipe", "nothing_like_it"), "no recipe nothing_like_it"),
        (("--label-column", "klass"), "label"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_started(
    arguments: tuple[str, ...], message: str, pictures: Path, cli: Cli, tmp_path: Path
) -> None:
    done = cli("train", "image", pictures, "-o", tmp_path / "run", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
