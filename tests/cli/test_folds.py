"""`multicnn train --folds`: a run per fold, predictions by models that had not seen the example, figures over folds."""

import csv
import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multicnn.data.layout import open_dataset
from multicnn.recipe_files import load_recipe
from multicnn.training.carry_out import carry_out
from multicnn.training.folds import over_folds
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from tests.cli.test_train import wait_for_epochs
from tests.conftest import Cli, restore_interrupt

pytestmark = pytest.mark.xdist_group("folds")  # one worker, for they share trained runs

SMALL = ("--set", "model.options.embedding=16", "--set", "model.options.filters=8", "--epochs", "3", "--lr", "0.01")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def undivided(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The texts without their parts, some of them twice, with a column of folds that has names."""
    rows = read(texts)
    path = tmp_path_factory.mktemp("folds") / "texts.csv"
    with path.open("w", newline="") as file:
        table = [(row["text"], row["label"], "abc"[i % 3]) for i, row in enumerate(rows + rows[:8])]
        csv.writer(file).writerows([("text", "label", "fold"), *table])
    return path


@pytest.fixture(scope="module")
def whole(undivided: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three new folds."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    done = cli("train", "text", undivided, "-o", run, "--folds", "3", *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(run)
    assert "mean ± std" in done.stderr
    return run


def test_each_example_is_predicted_once_by_a_model_that_had_not_seen_it(whole: Path, undivided: Path) -> None:
    predicted = read(whole / "predictions.csv")
    assert sorted(row["input"] for row in predicted) == sorted(f"texts.csv:{i + 1}" for i in range(128))
    for number in "123":
        used = {row["name"]: row["split"] for row in read(whole / f"fold-{number}" / "split.csv")}
        held_out = {row["input"] for row in predicted if row["fold"] == number}
        assert held_out == {name for name, split in used.items() if split == "test"}
        assert {split for name, split in used.items() if name not in held_out} == {"train", "validation"}


def test_equal_texts_are_in_one_fold(whole: Path, undivided: Path) -> None:
    fold_of = {row["input"]: row["fold"] for row in read(whole / "predictions.csv")}
    folds: dict[str, set[str]] = {}
    for number, row in enumerate(read(undivided), start=1):
        folds.setdefault(row["text"], set()).add(fold_of[f"texts.csv:{number}"])
    assert max(len(one) for one in folds.values()) == 1


def test_the_figures_are_those_of_the_folds(whole: Path) -> None:
    figures = json.loads((whole / "metrics.json").read_text())
    folds = [json.loads((whole / f"fold-{number}" / "metrics.json").read_text())["test"] for number in "123"]
    accuracy = figures["folds"]["accuracy"]
    assert accuracy["values"] == [one["accuracy"] for one in folds]
    assert accuracy["mean"] == pytest.approx(np.mean(accuracy["values"]))
    predicted = read(whole / "predictions.csv")
    assert figures["test"]["count"] == 128
    assert figures["test"]["accuracy"] == pytest.approx(np.mean([r["label"] == r["predicted"] for r in predicted]))
    for number, one in zip("123", folds, strict=True):
        rows = [row for row in predicted if row["fold"] == number]
        assert one["accuracy"] == pytest.approx(np.mean([row["label"] == row["predicted"] for row in rows]))
        assert all(row["predicted"] == max(("food", "sea"), key=lambda c: float(row[f"score:{c}"])) for row in rows)


def test_mean_and_deviation_are_those_of_a_sample() -> None:
    found = over_folds([{"accuracy": 0.5, "count": 3}, {"accuracy": 0.7, "count": 4}, {"accuracy": 0.9, "count": 4}])
    assert found == {
        "accuracy": {"mean": pytest.approx(0.7), "std": pytest.approx(statistics.stdev([0.5, 0.7, 0.9])),
                     "values": [0.5, 0.7, 0.9]}
    }  # fmt: skip


def test_an_interrupted_fold_is_resumed(undivided: Path, whole: Path, cli: Cli, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "multicnn", "train", "text", str(undivided), "-o", str(tmp_path / "cut")]
    process = subprocess.Popen(
        [*command, "--folds", "3", *SMALL[:4], "--epochs", "300", "--lr", "0.01"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "MULTICNN_OFFLINE": "1"}, preexec_fn=restore_interrupt,
    )  # fmt: skip
    wait_for_epochs(tmp_path / "cut" / "fold-2" / "history.csv", 3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert f"--output {tmp_path / 'cut'} --resume" in said
    first = (tmp_path / "cut" / "fold-1" / "metrics.json").stat().st_mtime_ns
    assert not (tmp_path / "cut" / "metrics.json").exists()
    resumed = cli("train", "text", "-o", tmp_path / "cut", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert (tmp_path / "cut" / "fold-1" / "metrics.json").stat().st_mtime_ns == first
    ours, theirs = (
        [(r["input"], r["fold"]) for r in read(run / "predictions.csv")] for run in (tmp_path / "cut", whole)
    )
    assert ours == theirs
    assert json.loads((tmp_path / "cut" / "metrics.json").read_text())["test"]["count"] == 128


def test_one_fold_alone_is_the_same_run(undivided: Path, whole: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "text", undivided, "-o", tmp_path / "two", "--folds", "3", "--fold", "2", *SMALL)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "two" / "split.csv").read_text() == (whole / "fold-2" / "split.csv").read_text()
    ours, theirs = (json.loads((run / "metrics.json").read_text()) for run in (tmp_path / "two", whole / "fold-2"))
    assert ours["test"] == theirs["test"]


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_the_manifests_own_folds(kind: str, pictures: Path, sounds: Path, tmp_path: Path) -> None:
    if kind == "image":
        files = [(file, file.parent.name) for file in sorted((pictures / "train").rglob("*.png"))]
    else:
        files = [(sounds.parent / row["path"], row["label"]) for row in read(sounds)]
    manifest = tmp_path / "folds.csv"
    manifest.write_text(
        "\n".join(["path,label,part", *(f"{f},{c},{'odd' if i % 2 else 'even'}" for i, (f, c) in enumerate(files))])
    )
    settings: dict[str, Any] = {"data.path": str(manifest), "data.folds": "column", "data.fold_column": "part"}
    settings |= {"model.arch": "lenet", "training.epochs": 1, "training.device": "cpu"}
    recipe = load_recipe(kind, None, settings)
    outcome = carry_out(recipe, RunFolder(tmp_path / "run"), Reporter(quiet=True), started=0.0)
    assert outcome.metrics["test"]["count"] == len(files)
    assert len(outcome.metrics["folds"]["log_loss"]["values"]) == 2
    assert {row["fold"] for row in read(tmp_path / "run" / "predictions.csv")} == {"odd", "even"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--folds", "1"), "data.folds"),
        (("--folds", "200"), "200 folds need as many groups"),
        (("--folds", "3", "--fold-column", "fold"), "folds=column"),
        (("--folds", "column", "--fold-column", "nothing"), "nothing"),
        (("--folds", "3", "--test", "t.csv"), "leave data.test"),
        (("--folds", "3", "--arch", "nothing"), "nothing"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_started(
    arguments: tuple[str, ...], message: str, undivided: Path, cli: Cli, tmp_path: Path
) -> None:
    done = cli("train", "text", undivided, "-o", tmp_path / "run", "--quiet", *arguments)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_test_part_stays_out_of_the_folds(texts: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "text", texts, "-o", tmp_path / "run", "--folds", "2", *SMALL)
    assert done.returncode == 0, done.stderr
    assert f"the test part of {texts} (24 examples) stays out of the folds, which the other 96 make" in done.stderr
    train = {f"texts.csv:{number}" for number, row in enumerate(read(texts), start=1) if row["split"] == "train"}
    assert {row["input"] for row in read(tmp_path / "run" / "predictions.csv")} == train
    seen = {row["name"] for row in read(tmp_path / "run" / "fold-1" / "split.csv")}
    assert seen == train


def test_samples_have_folds_too(cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", "sample:digits", "--folds", "3", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    examples = sum(json.loads(done.stdout)["examples"].values())
    assert examples == len(open_dataset("sample:digits", "image").part("train"))


def test_a_run_with_folds_is_no_model(whole: Path, texts: Path, cli: Cli) -> None:
    done = cli("evaluate", whole, texts)
    assert done.returncode == 2
    assert f"{whole / 'fold-1'}" in done.stderr


def test_a_dry_run_shows_the_first_fold(undivided: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "text", undivided, "--folds", "3", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["notes"][0].startswith("3 folds")
    assert sum(plan["examples"].values()) == 128
    assert not any(tmp_path.iterdir())
