from typing import Any

import numpy as np
import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx
from torch import nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.locally_connected import LocallyConnected

SIDES = (6, 5, 4)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_agrees_with_the_definition() -> None:
    layer = LocallyConnected(2, 3, 2, (4, 5), stride=2, padding=1).double()
    nn.init.normal_(layer.bias)
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64)
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (1, 1), (1, 1)])
    y = layer(x).detach().numpy()
    assert y.shape == (2, 3, 3, 3)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    for b, o, i, j in np.ndindex(y.shape):
        patch = padded[b, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(2, 4)
        assert y[b, o, i, j] == pytest.approx((patch * weight[o, :, :, i, j]).sum() + bias[o, i, j])


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding"), [(1, "valid"), (2, "same"), (2, 1)])
def test_with_equal_filters_everywhere_it_is_a_convolution(dims: int, stride: int, padding: Any) -> None:
    conv = Convolution(2, 3, 3, dims=dims, stride=stride, padding=padding).double()
    layer = LocallyConnected(2, 3, 3, SIDES[:dims], dims=dims, stride=stride, padding=padding).double()
    one = (1,) * dims
    with torch.no_grad():
        layer.weight.copy_(conv.weight.flatten(2).unflatten(2, (-1, *one)).expand_as(layer.weight))
    x = torch.randn(2, 2, *SIDES[:dims], dtype=torch.float64)
    torch.testing.assert_close(layer(x), conv(x))
    assert_learns(layer, layer(x))


def test_starts_as_a_convolution_does() -> None:
    torch.manual_seed(0)
    layer = LocallyConnected(16, 16, 3, 8)
    assert layer.weight.std().item() == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.02)
    assert not layer.bias.any()


def test_refuses_another_size() -> None:
    with pytest.raises(ValueError, match=r"\(6, 6\), not \(6, 5\)"):
        LocallyConnected(2, 3, 3, 6)(torch.zeros(1, 2, 6, 5))
    with pytest.raises(ValueError, match="does not fit into 2"):
        LocallyConnected(2, 3, 3, 2)


def test_exports() -> None:
    assert_same_in_onnx(LocallyConnected(2, 3, 3, (6, 5), stride=2, padding="same"), torch.randn(2, 2, 6, 5))
