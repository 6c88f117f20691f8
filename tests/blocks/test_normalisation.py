"""Normalisations that do not look at the batch; batch normalisation is in test_layers."""

import numpy as np
import pytest
import torch
from torch import nn

from multicnn.architectures import build_image
from multicnn.blocks.normalisation import GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, stands_high_rates

SIDES = {1: (8,), 2: (5, 6), 3: (2, 3, 4)}


def standardised(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + 1e-5)


def groups_by_hand(x: np.ndarray, groups: int) -> np.ndarray:
    y = np.empty_like(x)
    for example in range(len(x)):
        for bundle in np.split(np.arange(x.shape[1]), groups):
            y[example, bundle] = standardised(x[example, bundle])
    return y


def places_by_hand(x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    for example, *place in np.ndindex(len(x), *x.shape[2:]):
        where = (example, slice(None), *place)
        y[where] = standardised(x[where])
    return y


def responses_by_hand(x: np.ndarray, n: int, alpha: float, beta: float, k: float) -> np.ndarray:
    """The paper's formula, channel by channel."""
    y, channels = np.empty_like(x), x.shape[1]
    for i in range(channels):
        near = range(max(0, i - n // 2), min(channels - 1, i + n // 2) + 1)
        y[:, i] = x[:, i] / (k + alpha * sum(x[:, j] ** 2 for j in near)) ** beta
    return y


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    ("norm", "by_hand"),
    [
        (GroupNorm(3, 6), lambda x: groups_by_hand(x, 3)),
        (InstanceNorm(6), lambda x: groups_by_hand(x, 6)),
        (LayerNorm(6), lambda x: groups_by_hand(x, 1)),
        (LayerNorm(6, each_place=True), places_by_hand),
    ],
    ids=["group", "instance", "layer", "layer-each-place"],
)
def test_agree_with_the_formula(norm, by_hand, dims: int) -> None:  # type: ignore[no-untyped-def]
    norm = norm.double()
    x = 5 + 2 * torch.randn(3, 6, *SIDES[dims], dtype=torch.float64)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    shape = (6, *[1] * dims)
    weight, bias = (p.detach().numpy().reshape(shape) for p in (norm.weight, norm.bias))
    np.testing.assert_allclose(norm(x).detach().numpy(), by_hand(x.numpy()) * weight + bias, atol=1e-10)


@pytest.mark.parametrize("norm", [GroupNorm(2, 4), InstanceNorm(4), LayerNorm(4), LayerNorm(4, each_place=True)])
def test_batch_and_mode_make_no_difference(norm: nn.Module) -> None:
    x = torch.randn(3, 4, 5, 5)
    torch.testing.assert_close(norm.train()(x)[:1], norm.eval()(x[:1]))


@pytest.mark.parametrize("norm", [InstanceNorm(4), GroupNorm(4, 4)])
def test_one_value_alone_becomes_the_bias(norm: nn.Module) -> None:
    nn.init.normal_(norm.bias)
    torch.testing.assert_close(norm(torch.randn(1, 4, 1, 1)), norm.bias.view(1, 4, 1, 1), rtol=0, atol=1e-4)


def test_each_places_norm_is_torchs_layer_norm_with_its_names() -> None:
    ours, theirs = LayerNorm(6, each_place=True, eps=1e-6), nn.LayerNorm(6, eps=1e-6)
    nn.init.normal_(theirs.weight)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 6, 3, 4)
    torch.testing.assert_close(ours(x), theirs(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


@pytest.mark.parametrize("groups", [0, 4])
def test_refuses_groups_that_do_not_divide(groups: int) -> None:
    with pytest.raises(ValueError, match=f"{groups} groups do not divide 6"):
        GroupNorm(groups, 6)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("size", "channels"), [(5, 8), (5, 2), (1, 3), (3, 4)])
def test_local_responses_agree_with_the_formula(size: int, channels: int, dims: int) -> None:
    x = 20 * torch.randn(2, channels, *SIDES[dims], dtype=torch.float64)
    y = LocalResponseNorm(size, alpha=0.01)(x)
    np.testing.assert_allclose(y.numpy(), responses_by_hand(x.numpy(), size, 0.01, 0.75, 2.0))


def test_local_responses_are_torchs_but_for_the_size() -> None:
    x = 20 * torch.randn(2, 8, 4, 4)
    torch.testing.assert_close(LocalResponseNorm()(x), nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)(x))


def test_local_responses_of_half_precision_do_not_overflow() -> None:
    x = torch.full((1, 5, 2), 1000.0, dtype=torch.float16)
    y = LocalResponseNorm(alpha=0.01)(x)
    assert y.dtype == torch.float16
    torch.testing.assert_close(y, LocalResponseNorm(alpha=0.01)(x.float()).half())


@pytest.mark.parametrize("size", [0, 4])
def test_local_responses_refuse_a_lopsided_window(size: int) -> None:
    with pytest.raises(ValueError, match=f"not {size}"):
        LocalResponseNorm(size)


@pytest.mark.parametrize(
    ("name", "high"),
    [
        ("lenet", True),
        ("resnet9", True),
        ("densenet121", True),
        ("vgg11", False),
        ("vgg11_bn", True),
        ("alexnet", False),
    ],
)
def test_deep_networks_without_batch_normalisation_want_gentle_rates(name: str, high: bool) -> None:
    with torch.device("meta"):
        network = build_image(name, classes=10, size=(224, 224))
    assert stands_high_rates(network) == high
