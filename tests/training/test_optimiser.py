"""Optimisers, what they remember, and the running mean of the weights."""

from pathlib import Path

import pytest
import torch
from torch import nn

from multicnn.architectures import build_image
from multicnn.bundle.tensors import load_tensors, save_tensors
from multicnn.recipe import Training, fill_training
from multicnn.training.checkpoint import optimiser_tensors, restore_optimiser
from multicnn.training.ema import Ema
from multicnn.training.muon import Muon, orthogonal
from multicnn.training.optimiser import build_optimiser, limit_rows
from multicnn.training.schedule import Schedule
from multicnn.training.stages import output_layer

OPTIMISERS = ["adamw", "adam", "sgd", "adadelta", "muon"]


def settled(optimizer: str) -> Training:
    momentum = 0.9 if optimizer in ("sgd", "muon") else "auto"
    return Training(optimizer=optimizer, lr=0.01, weight_decay=0.01, momentum=momentum, schedule="constant", warmup=0)


@pytest.mark.parametrize("optimizer", OPTIMISERS)
def test_only_weights_decay(optimizer: str) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    groups = build_optimiser(model, settled(optimizer)).param_groups
    assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.01), (3, 0.0)]


def test_biases_and_shifts_learn_so_many_times_as_fast() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    training = settled("sgd").model_copy(update={"bias_rate": 64.0})
    groups = build_optimiser(model, training, shares={model[0].bias: 0.5}).param_groups
    shares = {weight: group["share"] for group in groups for weight in group["params"]}
    assert [shares[weight] for weight in model.parameters()] == [1.0, 32.0, 64.0, 64.0]
    optimiser = build_optimiser(model, training)
    Schedule(training).set(optimiser, 1.0)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.01, 0.64])


def test_frozen_parameters_are_not_learned() -> None:
    model = nn.Linear(3, 4)
    model.bias.requires_grad_(False)
    assert sum(len(group["params"]) for group in build_optimiser(model, settled("adamw")).param_groups) == 1


def steps(model: nn.Module, optimiser: torch.optim.Optimizer, seed: int) -> None:
    """Three steps on random pictures."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(3):
        x = torch.randn(4, 3, 32, 32, generator=generator).contiguous(memory_format=torch.channels_last)
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()


@pytest.mark.parametrize("optimizer", OPTIMISERS)
def test_what_was_saved_goes_on_bit_for_bit(optimizer: str, tmp_path: Path) -> None:
    def fresh() -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = build_image("lenet", classes=3, size=(32, 32)).to(memory_format=torch.channels_last)
        return model, build_optimiser(model, settled(optimizer), output_layer(model))

    whole, optimiser = fresh()
    steps(whole, optimiser, 1)
    save_tensors(tmp_path / "model", whole.state_dict(), {})
    save_tensors(tmp_path / "optimiser", optimiser_tensors(optimiser), {})
    steps(whole, optimiser, 2)

    resumed, optimiser = fresh()
    resumed.load_state_dict(load_tensors(tmp_path / "model")[0])
    restore_optimiser(optimiser, load_tensors(tmp_path / "optimiser")[0])
    steps(resumed, optimiser, 2)
    assert all(weight.isfinite().all() for weight in whole.parameters())
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_adadelta_is_zeilers() -> None:
    """Algorithm 1 by hand, with rho 0.95 and a rate of 1."""
    model = nn.Linear(1, 1, bias=False)
    optimiser = build_optimiser(model, Training(optimizer="adadelta", lr=1.0, weight_decay=0.0))
    x, squares, deltas = model.weight.item(), 0.0, 0.0
    for gradient in (0.5, -2.0, 1.0):
        model.weight.grad = torch.tensor([[gradient]])
        optimiser.step()
        squares = 0.95 * squares + 0.05 * gradient**2
        delta = -(((deltas + 1e-6) / (squares + 1e-6)) ** 0.5) * gradient
        deltas = 0.95 * deltas + 0.05 * delta**2
        x += delta
        assert model.weight.item() == pytest.approx(x, abs=1e-6)


def test_adams_decay_is_part_of_the_gradient() -> None:
    """Adam's first step is the sign of gradient plus decay times weight; AdamW's shrinks the weight besides."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    optimiser = build_optimiser(model, Training(optimizer="adam", lr=0.1, weight_decay=1.0))
    model.weight.grad = torch.tensor([[-1.0]])  # the decay of 2 outweighs it
    optimiser.step()
    assert model.weight.item() == pytest.approx(1.9)


@pytest.mark.parametrize("shape", [(6, 4), (4, 9), (5, 5)])
def test_muon_agrees_with_pytorchs_on_matrices(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(shape))
    theirs = nn.Parameter(ours.detach().clone())
    optimiser = Muon([{"params": [ours], "weight_decay": 0.1, "orthogonal": True}], lr=0.02, momentum=0.95)
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        optimiser.step()
        reference.step()
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)  # theirs computes in bfloat16


def test_an_orthogonal_matrix_has_singular_values_near_1() -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(8, 20)))
    assert values.min() > 0.6 and values.max() < 1.3


def test_muon_takes_kernels_and_leaves_the_output_and_the_biases_to_adamw() -> None:
    model = build_image("lenet", classes=3, size=(32, 32))
    optimiser = build_optimiser(model, settled("muon"), output_layer(model))
    names = {weight: name for name, weight in model.named_parameters()}
    taken = {names[w] for group in optimiser.param_groups if group["orthogonal"] for w in group["params"]}
    assert "features.c1.0.weight" in taken
    assert "head.output.weight" not in taken
    assert all(name.endswith("weight") for name in taken)
    steps(model, optimiser, 0)
    remembered = {names[w]: set(state) for w, state in optimiser.state.items()}
    assert remembered["features.c1.0.weight"] == {"step", "momentum_buffer"}
    assert remembered["head.output.weight"] == {"step", "exp_avg", "exp_avg_sq"}


@pytest.mark.parametrize(
    ("optimizer", "lr", "weight_decay", "momentum"),
    [
        ("auto", 1e-3, 0.05, "auto"),
        ("adam", 1e-3, 1e-3, "auto"),
        ("sgd", 0.05, 5e-4, 0.9),
        ("adadelta", 1.0, 0.0, "auto"),
        ("muon", 1e-3, 0.05, 0.95),
    ],
)
def test_each_has_its_usual_settings(optimizer: str, lr: float, weight_decay: float, momentum: object) -> None:
    training = Training(optimizer=optimizer)
    fill_training(training, epochs=1, batch_size=64, lr=1e-3, weight_decay=0.05, label_smoothing=0.1, clip=0.0)
    assert (training.lr, training.weight_decay, training.momentum) == (lr, weight_decay, momentum)


def test_only_rows_that_are_too_long_are_shortened() -> None:
    weight = nn.Parameter(torch.tensor([[3.0, 4.0], [0.3, 0.4]]))
    limit_rows(weight, 3.0)
    torch.testing.assert_close(weight.detach(), torch.tensor([[1.8, 2.4], [0.3, 0.4]]))


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
