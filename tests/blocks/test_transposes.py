"""Linear blocks as explicit matrices: forwards C, and backwards its transpose."""

import math

import numpy as np
import pytest
import torch
from block_checks import assert_is_matrix, convolution_matrix
from torch import Tensor, nn

from multicnn.blocks.causal import CausalConvolution
from multicnn.blocks.depthwise import DepthwiseConvolution, DepthwiseSeparable
from multicnn.blocks.dynamic import DynamicLocalFilter
from multicnn.blocks.locally_connected import LocallyConnected
from multicnn.blocks.separable import SpatiallySeparable

SIDES = (6, 5, 4)
EVERY = pytest.mark.parametrize("dims", [1, 2, 3])


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def weight_of(layer: nn.Module) -> np.ndarray:
    weight: Tensor = layer.weight
    return weight.detach().numpy()


def local_matrix(weight: np.ndarray, kernel: int, sides: tuple[int, ...], *, stride: int, before: int) -> np.ndarray:
    """C of a layer with filters of its own at each place, weight [out, in, points, *places]."""
    (outputs, inputs), places = weight.shape[:2], weight.shape[3:]
    matrix = np.zeros((outputs, *places, inputs, *sides))
    points = list(np.ndindex(*(kernel,) * len(sides)))
    for o, c, k, *place in np.ndindex(*weight.shape):
        where = [p * stride + d - before for p, d in zip(place, points[k], strict=True)]
        if all(0 <= w < side for w, side in zip(where, sides, strict=True)):
            matrix[(o, *place, c, *where)] = weight[(o, c, k, *place)]
    return matrix.reshape(outputs * math.prod(places), -1)


@pytest.mark.parametrize("stride", [1, 2])
def test_causal(stride: int) -> None:
    conv = CausalConvolution(2, 4, 3, stride=stride, dilation=2, groups=2, bias=False).double()
    matrix = convolution_matrix(weight_of(conv), (9,), ends=[(4, 0)], stride=stride, dilation=2, groups=2)
    assert_is_matrix(conv, matrix, 2, 9)


@EVERY
def test_depthwise(dims: int) -> None:
    conv = DepthwiseConvolution(2, 3, multiplier=2, dims=dims, stride=2, padding=1, bias=False).double()
    sides = SIDES[:dims]
    assert_is_matrix(
        conv, convolution_matrix(weight_of(conv), sides, ends=[(1, 1)] * dims, stride=2, groups=2), 2, *sides
    )


@EVERY
def test_depthwise_separable(dims: int) -> None:
    block = DepthwiseSeparable(2, 3, 3, multiplier=2, dims=dims, padding=1, bias=False).double()
    sides = SIDES[:dims]
    each = convolution_matrix(weight_of(block.depthwise), sides, ends=[(1, 1)] * dims, groups=2)
    mix = convolution_matrix(weight_of(block.pointwise), sides, ends=[(0, 0)] * dims)
    assert_is_matrix(block, mix @ each, 2, *sides)


@pytest.mark.parametrize("dims", [2, 3])
def test_spatially_separable(dims: int) -> None:
    block = SpatiallySeparable(2, 3, 3, middle=2, dims=dims, padding=1, bias=False).double()
    sides = SIDES[:dims]
    matrix = np.eye(2 * math.prod(sides))
    for axis, step in enumerate(block):
        ends = [(1, 1) if other == axis else (0, 0) for other in range(dims)]
        matrix = convolution_matrix(weight_of(step), sides, ends=ends) @ matrix
    assert_is_matrix(block, matrix, 2, *sides)


@EVERY
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_locally_connected(dims: int, stride: int, padding: int) -> None:
    sides = SIDES[:dims]
    layer = LocallyConnected(2, 2, 3, sides, dims=dims, stride=stride, padding=padding, bias=False).double()
    assert_is_matrix(layer, local_matrix(weight_of(layer), 3, sides, stride=stride, before=padding), 2, *sides)


class Given(nn.Module):
    """A dynamic local filter whose filters come from elsewhere, so that it is linear in its input."""

    def __init__(self, layer: DynamicLocalFilter, condition: Tensor) -> None:
        super().__init__()
        self.layer, self.condition = layer, condition

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x, self.condition)


@EVERY
@pytest.mark.parametrize("shared", [False, True])
def test_dynamic_local_filter(dims: int, shared: bool) -> None:
    sides = SIDES[:dims]
    layer = DynamicLocalFilter(2, 3, condition=1, shared=shared, dims=dims).double()
    condition = torch.randn(1, 1, *sides, dtype=torch.float64)
    filters = layer.generator(condition).detach().numpy().reshape(1 if shared else 2, -1, *sides)
    weight = np.zeros((2, 2, 3**dims, *sides))
    weight[0, 0], weight[1, 1] = filters[0], filters[-1]  # no channel sees another
    assert_is_matrix(Given(layer, condition), local_matrix(weight, 3, sides, stride=1, before=1), 2, *sides)
