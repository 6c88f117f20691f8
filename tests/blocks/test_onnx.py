"""Blocks as ONNX, over 1, 2 and 3 axes, with batches and sizes that the export has not seen."""

from collections.abc import Callable

import pytest
import torch
from block_checks import SideBySide, assert_same_in_onnx, examples
from torch import nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dense import DenseBlock, Transition
from multicnn.blocks.depthwise import DepthwiseSeparable
from multicnn.blocks.dynamic import DynamicConvolution, DynamicLocalFilter
from multicnn.blocks.fire import Fire
from multicnn.blocks.hypernetwork import StaticHyperConvolution
from multicnn.blocks.inception import Inception
from multicnn.blocks.inverted import InvertedBottleneck
from multicnn.blocks.mlpconv import MlpConvolution
from multicnn.blocks.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.blocks.pooling_convolution import ConvolutionPool
from multicnn.blocks.pooling_lp import GeneralisedMean, LpPool, SumPool
from multicnn.blocks.pooling_regions import AdaptivePool, DynamicPool
from multicnn.blocks.pooling_stochastic import MaxPoolDropout, StochasticPool
from multicnn.blocks.residual import BasicBlock, Bottleneck, PreActivationBlock
from multicnn.blocks.squeeze_excitation import SqueezeExcitation
from multicnn.blocks.transposed import TransposedConvolution
from multicnn.blocks.unit import ConvolutionUnit

Make = Callable[[int], nn.Module]

# One export for each group: an export takes longer than what it exports.
GROUPS: dict[str, list[Make]] = {
    "convolution": [
        lambda dims: Convolution(4, 3, 4, padding="same", dims=dims),
        lambda dims: Convolution(4, 3, 2, stride=3, padding="same", dims=dims),
        lambda dims: Convolution(4, 3, 3, padding=1, padding_mode=-1.5, dims=dims),
        lambda dims: Convolution(4, 3, 3, padding=1, padding_mode="circular", dims=dims),
        lambda dims: Convolution(4, 3, 3, padding=1, padding_mode="reflect", dims=dims),
        lambda dims: Convolution(4, 3, 3, padding=1, padding_mode="replicate", dims=dims),
        lambda dims: TransposedConvolution(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2, dims=dims),
        lambda dims: TransposedConvolution(4, 3, 4, stride=3, padding="same", dims=dims),
        lambda dims: TransposedConvolution(4, 3, 2, stride=3, padding="same", dims=dims),
        lambda dims: DepthwiseSeparable(4, 3, 3, multiplier=2, padding="same", dims=dims),
        lambda dims: MlpConvolution(4, [6, 5], 3, padding=1, dims=dims),
    ],
    "dynamic": [
        lambda dims: DynamicConvolution(4, 6, 3, temperature=0.5, padding="same", groups=2, dims=dims),
        lambda dims: DynamicLocalFilter(4, 2, normalised=True, dims=dims),
        lambda dims: StaticHyperConvolution(4, 3, 3, 5, hidden=4, padding="same", stride=2, dims=dims),
        lambda dims: SqueezeExcitation(4, 2, dims=dims),
    ],
    "residual": [
        lambda dims: ConvolutionUnit(4, 6, stride=2, dims=dims),
        lambda dims: BasicBlock(4, 6, 2, dims=dims),
        lambda dims: Bottleneck(4, 3, 2, dims=dims),
        lambda dims: PreActivationBlock(4, 6, 2, dims=dims),
        lambda dims: InvertedBottleneck(4, 4, dims=dims),
    ],
    "side by side": [
        lambda dims: Inception(4, 2, 3, 4, 3, 2, 3, dims=dims),
        lambda dims: Fire(4, 2, 4, 6, dims=dims),
        lambda dims: nn.Sequential(DenseBlock(2, 4, 2, dims=dims), Transition(8, 4, dims=dims)),
    ],
    "window pools": [
        lambda dims: MaxPool(3, 2, 1, dims=dims),
        lambda dims: CeilMaxPool(3, 2, 1, dims=dims),
        lambda dims: AveragePool(3, 2, 1, count_border=False, dims=dims),
        lambda dims: SumPool(3, 2, 1, dims=dims),
        lambda dims: LpPool(3.0, 2, dims=dims),
        lambda dims: StochasticPool(2, dims=dims),
        lambda dims: MaxPoolDropout(2, dims=dims),
        lambda dims: ConvolutionPool(4, 3, 2, 1, dims=dims),
    ],
    "whole pools": [
        lambda dims: GlobalAveragePool(),
        lambda dims: GlobalMaxPool(),
        lambda dims: GeneralisedMean(4),
        lambda dims: AdaptivePool(2, dims=dims),
        lambda dims: DynamicPool((3, 2, 1)[:dims], reduce="average", dims=dims),
    ],
    "normalisation": [
        lambda dims: BatchNorm(4),
        lambda dims: GroupNorm(2, 4),
        lambda dims: InstanceNorm(4),
        lambda dims: LayerNorm(4),
        lambda dims: LayerNorm(4, each_place=True),
        lambda dims: LocalResponseNorm(),
    ],
}


def used_before(blocks: nn.Module) -> nn.Module:
    """With running figures and biases that are no zeros and ones."""
    for module in blocks.modules():
        if isinstance(module, BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    for parameter in blocks.parameters():
        if not parameter.any():
            nn.init.normal_(parameter)
    return blocks


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("group", GROUPS)
def test_blocks_are_the_same_in_onnx_at_any_size(group: str, dims: int) -> None:
    torch.manual_seed(0)
    blocks = used_before(SideBySide(*(make(dims) for make in GROUPS[group])))
    assert_same_in_onnx(blocks, *examples(4, dims), free=(0, *range(2, 2 + dims)))
