"""Depthwise, depthwise separable, spatially separable and low-rank convolutions, each as one plain convolution."""

from typing import Any

import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx, examples
from torch import nn

from multicnn.blocks.convolution import CONVOLVE, Convolution
from multicnn.blocks.depthwise import DepthwiseConvolution, DepthwiseSeparable
from multicnn.blocks.separable import LowRank, SpatiallySeparable

SIDES = (8, 7, 6)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def example(channels: int, dims: int) -> torch.Tensor:
    return torch.randn(2, channels, *SIDES[:dims], dtype=torch.float64)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_depthwise_filters_each_channel_by_itself(dims: int) -> None:
    conv = DepthwiseConvolution(3, 3, multiplier=2, dims=dims, stride=2, padding="same").double()
    x = example(3, dims)
    y = conv(x)
    assert y.shape[1] == 6
    for channel in range(3):
        alone = Convolution(1, 2, 3, dims=dims, stride=2, padding="same", bias=False).double()
        alone.load_state_dict({"weight": conv.weight[2 * channel : 2 * channel + 2]})
        torch.testing.assert_close(y[:, 2 * channel : 2 * channel + 2], alone(x[:, channel : channel + 1]))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_depthwise_separable_is_one_convolution_whose_filters_are_products(dims: int) -> None:
    block = DepthwiseSeparable(3, 5, 3, multiplier=2, dims=dims, padding=1, dilation=1).double()
    x = example(3, dims)
    each = block.depthwise.weight.unflatten(0, (3, 2)).squeeze(2)
    mix = block.pointwise.weight.flatten(1).unflatten(1, (3, 2))
    whole = torch.einsum("cm...,ocm->oc...", each, mix)
    torch.testing.assert_close(block(x), CONVOLVE[dims](x, whole, block.pointwise.bias, 1, 1))
    assert_learns(block, block(x))


def test_depthwise_separable_needs_few_weights() -> None:
    block = DepthwiseSeparable(64, 128, 3, bias=False)
    assert sum(p.numel() for p in block.parameters()) == 64 * (9 + 128)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("padding", ["same", "valid", 1])
def test_spatially_separable_is_one_convolution(dims: int, padding: Any) -> None:
    kernel = (3, 2, 5)[:dims]
    block = SpatiallySeparable(2, 4, kernel, middle=3, dims=dims, stride=2, padding=padding).double()
    whole = Convolution(2, 4, kernel, dims=dims, stride=2, padding=padding).double()
    whole.load_state_dict({"weight": block.whole_kernel(), "bias": block[-1].bias})
    x = example(2, dims)
    torch.testing.assert_close(block(x), whole(x))
    assert_learns(block, block(x))


def test_the_whole_kernel_sums_products_of_columns_and_rows() -> None:
    block = LowRank(2, 3, 5, rank=2)
    first, second = block[0].weight, block[1].weight
    assert first.shape == (2, 2, 5, 1)
    assert second.shape == (3, 2, 1, 5)
    by_hand = sum(torch.outer(first[r, 1, :, 0], second[2, r, 0]) for r in range(2))
    torch.testing.assert_close(block.whole_kernel()[2, 1], by_hand)


def test_full_rank_loses_nothing() -> None:
    conv = Convolution(2, 3, (3, 4), stride=(1, 2), padding="same").double()
    nn.init.normal_(conv.bias)
    split = LowRank.from_convolution(conv, 6)
    x = example(2, 2)
    torch.testing.assert_close(split(x), conv(x))


def test_a_lower_rank_loses_the_small_singular_values_and_no_more() -> None:
    conv = Convolution(4, 6, 3, bias=False).double()
    matrix = conv.weight.detach().permute(1, 2, 0, 3).reshape(12, 18)
    lost = torch.linalg.svdvals(matrix)[5:].square().sum().sqrt()
    split = LowRank.from_convolution(conv, 5)
    torch.testing.assert_close((split.whole_kernel() - conv.weight).norm(), lost)


def test_a_layer_in_half_precision_is_split_in_single_and_stays_in_half() -> None:
    conv = Convolution(4, 6, 3).bfloat16()
    split = LowRank.from_convolution(conv, 12)
    assert {parameter.dtype for parameter in split.parameters()} == {torch.bfloat16}
    torch.testing.assert_close(split.float().whole_kernel(), conv.weight.float(), rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("conv", "rank", "message"),
    [
        (Convolution(2, 3, 3), 7, "from 1 to 6, not 7"),
        (Convolution(2, 3, 3), 0, "from 1 to 6, not 0"),
        (Convolution(2, 4, 3, groups=2), 1, "groups=2"),
        (Convolution(2, 4, 3, dims=1), 1, "over 2 axes"),
    ],
)
def test_low_rank_refuses(conv: Convolution, rank: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LowRank.from_convolution(conv, rank)


def test_one_axis_cannot_be_separated() -> None:
    with pytest.raises(ValueError, match="not 1"):
        SpatiallySeparable(2, 3, 3, dims=1)


@pytest.mark.parametrize("dims", [2, 3])
def test_separable_blocks_export(dims: int) -> None:
    steps = SpatiallySeparable(4, 4, 3, padding="same", dims=dims), LowRank(4, 2, 3, 2, stride=2, dims=dims)
    assert_same_in_onnx(nn.Sequential(*steps), *examples(4, dims), free=(0, *range(2, 2 + dims)))
