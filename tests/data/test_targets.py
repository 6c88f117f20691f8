"""Labels that are no classes are refused; names of classes that look like them are not."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from multicnn.data.targets import not_classes
from tests.conftest import WORDS, Cli

SEVERAL = [
    ["cat", "dog", "cat;dog", "dog", "cat"],
    ["cat|dog", "dog|eel", "cat|eel", "eel|fox"],
    ["a, b", "b, c", "a", "c", "a, b, c"],
    ['["cat", "dog"]', '["dog"]', '["cat"]'],
    ["Animal,Bark,Dog", "Animal,Cat", "Cat,Meow", "Animal,Bird", "Dog,Growl", "Bark,Dog"],
]
CLASSES = [
    ["Washington, D.C.", "Paris, France", "London, England", "London, Ontario"],
    ["animal|cat", "animal|dog", "vehicle|car", "vehicle|bus"],
    ["animal", "animal|cat", "animal|cat|persian", "animal|dog"],
    ["left;up", "left;down", "right;up", "right;down"],
    ["Folk", "World", "Country", "Folk, World, & Country"] + ["Salt, pepper"] * 4,
    ["tabby, tabby cat", "kite", "crane", "cardigan, Cardigan Welsh corgi"],
    [":;", ";)", ";", "|", "a;", ","],
    ["cat", "dog"] * 3,
    ["1999", "2000", "2001"] * 3,
    ["0", "1", "2", "10"] * 2,
    ["0.5", "1.0"] * 5,
    ["inf", "nan", "1", "2"],
    [f"{number:03}x" for number in range(40)],
]


@pytest.mark.parametrize("labels", SEVERAL, ids=str)
def test_several_classes_an_example_are_noticed(labels: list[str]) -> None:
    reason = not_classes(labels)
    assert reason is not None
    assert "multi-label classification is not supported" in reason


@pytest.mark.parametrize("labels", CLASSES, ids=str)
def test_names_of_classes_are_left_alone(labels: list[str]) -> None:
    assert not_classes(labels) is None


def test_numbers_that_mostly_differ_are_noticed() -> None:
    labels = [f"{value:.3f}" for value in np.random.default_rng(0).normal(20, 5, 50)]
    reason = not_classes(labels + ["20"] * 10)
    assert reason is not None
    assert "regression is not supported; sort them into classes" in reason
    assert not_classes(labels + labels) is None  # each twice


@pytest.mark.parametrize(
    ("column", "says"),
    [(lambda row: ("sea;food", "sea", "food")[row % 3], "multi-label"), (str, "regression")],
    ids=["several", "numbers"],
)
@pytest.mark.parametrize("options", [(), ("--folds", "3"), ("--dry-run",)], ids=str)
def test_train_says_so_in_one_line_and_starts_nothing(
    column: Callable[[int], str], says: str, options: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as file:
        rows = [(f"{word} {row}", column(row)) for row, word in enumerate(WORDS["sea"].split() * 5)]
        csv.writer(file).writerows([("text", "label"), *rows])
    done = cli("train", "text", path, "-o", tmp_path / "run", *options)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"multicnn: {path}: " in done.stderr
    assert says in done.stderr
    assert not (tmp_path / "run").exists()


def test_data_check_says_so_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "texts.jsonl").write_text(
        "\n".join(json.dumps({"text": f"text {row}", "label": f"{row / 7:.3f}"}) for row in range(30))
    )
    done = cli("data", "check", tmp_path / "texts.jsonl", "--kind", "text")
    assert "regression is not supported" in done.stdout + done.stderr
