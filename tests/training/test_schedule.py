"""The learning rate over a training."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from multicnn.recipe import Training, fill_training
from multicnn.training.optimiser import build_optimiser
from multicnn.training.schedule import Schedule, elapsed, plateaus


def settled(**settings: Any) -> Training:
    training = Training(**settings)
    fill_training(training, epochs=10, batch_size=8, lr=0.5, weight_decay=0.0, label_smoothing=0.0, clip=0.0)
    return training


def rates(**settings: Any) -> list[float]:
    """At each tenth of the training."""
    schedule = Schedule(settled(**settings))
    found = []
    for tenth in range(11):
        schedule.begin_epoch(tenth, [])
        found.append(schedule.factor(tenth / 10))
    return found


def test_cosine_rises_then_falls_to_nothing() -> None:
    schedule = Schedule(settled())
    assert schedule.factor(0.05) == pytest.approx(0.5)
    assert schedule.factor(0.1) == pytest.approx(1.0)
    assert schedule.factor(0.55) == pytest.approx(0.5 * (1 + math.cos(math.pi / 2)))
    assert schedule.factor(1.0) == pytest.approx(0.0)
    assert Schedule(settled(warmup=0.0)).factor(0.0) == 1.0


def test_linear_rises_then_falls_by_a_straight_line() -> None:
    assert rates(schedule="linear", warmup=0.2) == pytest.approx(
        [0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0]
    )
    assert rates(schedule="linear", warmup=0.0)[:2] == pytest.approx([1.0, 0.9])


def test_one_cycle_goes_up_and_down_by_straight_lines_and_then_far_below() -> None:
    found = rates(schedule="onecycle", warmup=0.4)
    assert found == pytest.approx([0.1, 0.325, 0.55, 0.775, 1, 0.775, 0.55, 0.325, 0.1, 0.0505, 0.001])
    assert rates(schedule="onecycle", warmup=0.5)[-1] == pytest.approx(0.001)


@pytest.mark.parametrize("step_size", [3, 0.3])
def test_step_falls_after_so_many_epochs_or_such_a_share(step_size: float) -> None:
    found = rates(schedule="step", step_size=step_size, gamma=0.5)
    assert found == pytest.approx([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125])


def test_constant_stays_and_warms_up_only_where_asked_to() -> None:
    assert rates(schedule="constant") == [1.0] * 11
    assert rates(schedule="constant", warmup=0.2)[:3] == pytest.approx([0.0, 0.5, 1.0])


def test_plateau_falls_when_the_validation_loss_does_not() -> None:
    assert plateaus([], 2) == 0
    assert plateaus([5, 4, 3, 2], 2) == 0
    assert plateaus([5, 4, 4, 4.5], 2) == 1
    assert plateaus([5, 4, 4, 4, 4, 3.9, 4, 4], 2) == 2
    schedule = Schedule(settled(schedule="plateau", patience=2))
    schedule.begin_epoch(3, [1.0, 1.0, 1.0])
    assert schedule.factor(0.3) == pytest.approx(0.1)


def test_a_period_is_counted_in_epochs_or_in_shares() -> None:
    assert [elapsed(2, 0.0, epoch) for epoch in range(5)] == [0, 0, 1, 1, 2]
    assert [elapsed(0.25, tenth / 10, 0) for tenth in range(11)] == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4]


@pytest.mark.parametrize(("optimizer", "highest"), [("sgd", 0.9), ("adamw", 0.9), ("muon", 0.95)])
def test_one_cycle_moves_momentum_against_the_rate(optimizer: str, highest: float) -> None:
    training = settled(schedule="onecycle", optimizer=optimizer)
    optimiser = build_optimiser(nn.Linear(2, 2), training)
    schedule = Schedule(training)

    def momentum(progress: float) -> float:
        schedule.set(optimiser, progress)
        group: dict[str, Any] = optimiser.param_groups[0]
        return float(group["momentum"] if "momentum" in group else group["betas"][0])

    assert momentum(0.0) == pytest.approx(highest)
    assert momentum(0.45) == pytest.approx(highest - 0.1)
    assert momentum(1.0) == pytest.approx(highest)
    torch.testing.assert_close(optimiser.param_groups[0]["lr"], float(training.lr) * 1e-3)
