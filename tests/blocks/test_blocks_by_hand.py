"""Blocks of several layers over 1 and 3 axes, in use, against NumPy; `test_named_blocks` has torchvision's over 2."""

from typing import Any

import numpy as np
import pytest
import torch
from block_checks import convolve_by_hand
from torch import nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dense import DenseLayer
from multicnn.blocks.fire import Fire
from multicnn.blocks.inception import Inception
from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.inverted import InvertedBottleneck
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.residual import BasicBlock, Bottleneck
from multicnn.blocks.squeeze_excitation import SqueezeExcitation

SIDES = {1: (7,), 3: (4, 3, 3)}
EVERY = pytest.mark.parametrize("dims", [1, 3])


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def used_before(block: Any) -> Any:
    """In use, in float64, with every number that is learned or remembered at random."""
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    for module in block.modules():
        if isinstance(module, BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return block.double().eval()


def numbers(tensor: torch.Tensor, dims: int = 0) -> np.ndarray:
    """As an array, with so many axes of 1 behind its own."""
    return tensor.detach().numpy().reshape(*tensor.shape, *[1] * dims)


def conv(x: np.ndarray, layer: Convolution, *, stride: int = 1, padding: int = 0, groups: int = 1) -> np.ndarray:
    bias = np.zeros(len(layer.weight)) if layer.bias is None else numbers(layer.bias)
    return convolve_by_hand(x, numbers(layer.weight), bias, stride, [(padding, padding)] * (x.ndim - 2), 1, groups)


def norm(x: np.ndarray, layer: BatchNorm, eps: float = 1e-5) -> np.ndarray:
    mean, variance, weight, bias = (
        numbers(one, x.ndim - 2) for one in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    return (x - mean) / np.sqrt(variance + eps) * weight + bias


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def unit(x: np.ndarray, layer: InceptionUnit, padding: int = 0) -> np.ndarray:
    return relu(norm(conv(x, layer.conv, padding=padding), layer.bn, 1e-3))


def neighbourhood_maxima(x: np.ndarray) -> np.ndarray:
    """Of 3 places along each axis; nothing lies around the input."""
    y = np.empty_like(x)
    for b, c, *place in np.ndindex(*x.shape):
        y[(b, c, *place)] = x[(b, c, *(slice(max(p - 1, 0), p + 2) for p in place))].max()
    return y


def check(block: nn.Module, x: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(block(torch.from_numpy(x)).detach().numpy(), expected, atol=1e-10)


def example(channels: int, dims: int, batch: int = 1) -> np.ndarray:
    return torch.randn(batch, channels, *SIDES[dims], dtype=torch.float64).numpy()


@EVERY
@pytest.mark.parametrize(("channels", "stride"), [(2, 1), (3, 2)])
def test_basic_block(channels: int, stride: int, dims: int) -> None:
    block = used_before(BasicBlock(2, channels, stride, dims=dims))
    x = example(2, dims)
    y = relu(norm(conv(x, block.conv1, stride=stride, padding=1), block.bn1))
    y = norm(conv(y, block.conv2, padding=1), block.bn2)
    around = x if stride == 1 else norm(conv(x, block.downsample[0], stride=stride), block.downsample[1])
    check(block, x, relu(y + around))


@EVERY
@pytest.mark.parametrize(("channels", "stride"), [(8, 1), (3, 2)])
def test_bottleneck(channels: int, stride: int, dims: int) -> None:
    block = used_before(Bottleneck(channels, 2, stride, dims=dims))
    x = example(channels, dims)
    y = relu(norm(conv(x, block.conv1), block.bn1))
    y = relu(norm(conv(y, block.conv2, stride=stride, padding=1), block.bn2))
    y = norm(conv(y, block.conv3), block.bn3)
    around = x if stride == 1 else norm(conv(x, block.downsample[0], stride=stride), block.downsample[1])
    check(block, x, relu(y + around))


@EVERY
def test_dense_layer(dims: int) -> None:
    layer = used_before(DenseLayer(3, 2, bottleneck=2, dims=dims))
    x = example(3, dims)
    y = conv(relu(norm(x, layer.norm1)), layer.conv1)
    assert y.shape[1] == 4
    check(layer, x, conv(relu(norm(y, layer.norm2)), layer.conv2, padding=1))


@EVERY
def test_squeeze_excitation(dims: int) -> None:
    block = used_before(SqueezeExcitation(4, 2, dims=dims))
    x = example(4, dims, batch=2)
    first, second = (numbers(layer.weight).reshape(layer.weight.shape[:2]) for layer in (block.fc1, block.fc2))
    for one, answer in zip(x, block(torch.from_numpy(x)), strict=True):
        means = one.reshape(4, -1).mean(1)
        scores = second @ relu(first @ means + numbers(block.fc1.bias)) + numbers(block.fc2.bias)
        gates = 1 / (1 + np.exp(-scores))
        np.testing.assert_allclose(numbers(answer), one * gates.reshape(4, *[1] * dims))


@EVERY
def test_fire(dims: int) -> None:
    block = used_before(Fire(3, 2, 2, 3, dims=dims))
    x = example(3, dims)
    squeezed = relu(conv(x, block.squeeze))
    wide = [conv(squeezed, block.expand1x1), conv(squeezed, block.expand3x3, padding=1)]
    check(block, x, relu(np.concatenate(wide, 1)))


@EVERY
def test_inception(dims: int) -> None:
    block = used_before(Inception(2, 1, 2, 2, 1, 2, 1, dims=dims))
    x = example(2, dims)
    ways = [
        unit(x, block.branch1),
        unit(unit(x, block.branch2[0]), block.branch2[1], padding=1),
        unit(unit(x, block.branch3[0]), block.branch3[1], padding=2),
        unit(neighbourhood_maxima(x), block.branch4[1]),
    ]
    check(block, x, np.concatenate(ways, 1))


@EVERY
@pytest.mark.parametrize(("channels", "stride"), [(2, 1), (3, 2)])
def test_inverted_bottleneck(channels: int, stride: int, dims: int) -> None:
    block = used_before(InvertedBottleneck(2, channels, stride, expansion=2, dims=dims))
    x = example(2, dims)
    widen, each, narrow, last = block.conv
    y = np.minimum(relu(norm(conv(x, widen[0]), widen[1])), 6)
    y = np.minimum(relu(norm(conv(y, each[0], stride=stride, padding=1, groups=4), each[1])), 6)
    y = norm(conv(y, narrow), last)
    check(block, x, x + y if stride == 1 else y)
