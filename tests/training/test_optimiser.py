"""Optimiser and schedule."""

import math

import pytest
import torch
from torch import nn

from multicnn.recipe import Training
from multicnn.training.ema import Ema
from multicnn.training.optimiser import build_optimiser, learning_rate_factor


def settled(optimizer: str) -> Training:
    momentum = 0.9 if optimizer == "sgd" else "auto"
    return Training(optimizer=optimizer, lr=0.1, weight_decay=0.01, momentum=momentum)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_only_weights_decay(optimizer: str) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    groups = build_optimiser(model, settled(optimizer)).param_groups
    assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.01), (3, 0.0)]


def test_frozen_parameters_are_not_learned() -> None:
    model = nn.Linear(3, 4)
    model.bias.requires_grad_(False)
    assert sum(len(group["params"]) for group in build_optimiser(model, settled("adamw")).param_groups) == 1


def test_the_rate_rises_then_falls_to_nothing() -> None:
    assert learning_rate_factor(0.05, warmup=0.1) == pytest.approx(0.5)
    assert learning_rate_factor(0.1, warmup=0.1) == pytest.approx(1.0)
    assert learning_rate_factor(0.55, warmup=0.1) == pytest.approx(0.5 * (1 + math.cos(math.pi / 2)))
    assert learning_rate_factor(1.0, warmup=0.1) == pytest.approx(0.0)
    assert learning_rate_factor(0.0, warmup=0.0) == 1.0


def test_the_mean_of_constant_weights_is_the_weights() -> None:
    model = nn.Linear(2, 2)
    ema = Ema(model, 0.99)
    for _ in range(5):
        ema.update(model)
    torch.testing.assert_close(ema.mean["weight"], model.weight.detach())


def test_the_mean_follows_its_definition() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    ema = Ema(model, 0.5)
    nn.init.ones_(model.weight)
    ema.update(model)  # keeps min(0.5, 2 / 11)
    assert ema.mean["weight"].item() == pytest.approx(1 - 2 / 11)
