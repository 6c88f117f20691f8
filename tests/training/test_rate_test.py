"""The learning rate range test: what it sees, what it picks, and that it leaves no trace in the training."""

import csv
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from multicnn.errors import MulticnnError
from multicnn.recipe_files import load_recipe
from multicnn.training.rate_test import DECADES, DIVERGED, STEPS, TAKEN, Curve, Rising
from multicnn.training.run_folder import RunFolder
from tests.cli.test_train import QUICK
from tests.conftest import Cli
from tests.training.test_settings import run


def seen(losses: np.ndarray, start: float = 1.0) -> Curve:
    curve = Curve(start)
    for rate, loss in zip(np.logspace(-6, 0, len(losses)), losses, strict=True):
        curve.add(float(rate), float(loss))
    return curve


def test_the_smoothed_loss_is_an_exponential_mean_that_begins_at_the_start() -> None:
    smoothed = seen(np.array([1.0, 0.0, 2.0])).smoothed
    assert smoothed == pytest.approx([1.0, 0.9, 1.01])


def test_a_quarter_of_the_rate_with_the_lowest_loss_is_taken() -> None:
    decades = np.linspace(-6, 0, 61)
    valley = np.where(decades < -1.99, 1 - (decades + 6) / 8, 5.0)  # falls until 1e-2, then grows at once
    assert seen(valley).found() == pytest.approx(0.25 * 1e-2)


def test_a_loss_that_never_falls_is_an_error_with_advice() -> None:
    for losses in (np.linspace(1, 2, 50), np.array([0.5]), np.array([])):
        with pytest.raises(MulticnnError, match="falls at no learning rate; check the data, or name a rate by --lr"):
            seen(losses).found()


def test_it_is_over_when_the_loss_diverges() -> None:
    assert not seen(np.array([1.0, 0.5, 1.0])).diverged
    assert seen(np.array([1.0, 0.5] + [DIVERGED * 1.2] * 30)).diverged


def test_rates_grow_by_the_same_factor_each_step() -> None:
    factors = [Rising(load_recipe("image").training).factor(step / (STEPS - 1)) for step in range(STEPS)]
    assert (factors[0], factors[-1]) == pytest.approx((10.0**-DECADES, 1.0))
    assert np.diff(np.log(factors)) == pytest.approx(DECADES * math.log(10) / (STEPS - 1))


@pytest.mark.parametrize(
    "settings",
    [
        {"training__ema": 0.9, "training__clip": 1.0},
        pytest.param(
            {"training__optimizer": "sgd", "training__schedule": "onecycle", "model__arch": "resnet9"},
            marks=pytest.mark.slow,
        ),
        {"training__optimizer": "adadelta", "training__micro_batch": 4, "training__unfreeze": 1},
    ],
    ids=str,
)
def test_a_training_after_the_search_is_the_training_with_the_rate_that_was_found(
    settings: dict[str, Any], pictures: Path, tmp_path: Path
) -> None:
    found = run(pictures, tmp_path / "found", training__lr="find", **settings)
    written = yaml.safe_load((found.run / "config.yaml").read_text())["training"]
    named = run(pictures, tmp_path / "named", **{**settings, "training__lr": written["lr"]})
    one, other = (load_file(run.run / "checkpoints" / "last.safetensors") for run in (found, named))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    table = list(csv.DictReader((found.run / "lr_find.csv").open()))
    assert 10 < len(table) <= STEPS
    rates = [float(row["lr"]) for row in table]
    assert rates == sorted(rates)
    assert any(math.isclose(TAKEN * rate, written["lr"], rel_tol=0.01) for rate in rates)


def test_the_search_leaves_the_random_state_alone(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []
    begin = RunFolder.clear
    monkeypatch.setattr(RunFolder, "clear", lambda self: (states.append(torch.get_rng_state()), begin(self))[1])
    for lr in ("find", 0.001):
        run(pictures, tmp_path / str(lr), training__lr=lr, training__epochs=1)
    assert torch.equal(*states)


def test_a_time_budget_makes_the_search_shorter(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multicnn.training.search.TEST_SHARE", 0.0)
    found = run(pictures, tmp_path / "run", training__lr="find", training__time_budget="20s", training__epochs=1)
    assert len((found.run / "lr_find.csv").read_text().splitlines()) <= 1 + 30


def test_the_command_finds_a_rate_and_draws_it(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", pictures, "-o", tmp_path / "run", *QUICK["image"], "--lr", "find")
    assert done.returncode == 0, done.stderr
    lr = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["training"]["lr"]
    assert f"--lr find: {lr:g}, after" in done.stderr
    picture = ElementTree.fromstring((tmp_path / "run" / "lr_find.svg").read_text())
    assert f"{lr:.3g}" in {element.text for element in picture.iter()}
    refused = cli("train", "image", pictures, "-o", tmp_path / "other", "--lr", "fnid")
    assert refused.returncode == 2
    assert "training.lr" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
