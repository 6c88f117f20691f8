"""Blocks that bear a network's name, against torchvision's with the same weights or against their definition."""

from typing import Any

import pytest
import torch
import torchvision
from block_checks import assert_learns
from torch import nn
from torchvision.models.googlenet import Inception as TheirInception
from torchvision.models.mobilenetv2 import InvertedResidual
from torchvision.models.squeezenet import Fire as TheirFire

from multicnn.blocks.fire import Fire
from multicnn.blocks.inception import Inception
from multicnn.blocks.inverted import InvertedBottleneck
from multicnn.blocks.mlpconv import MlpConvolution
from multicnn.blocks.residual import PreActivationBlock
from multicnn.blocks.squeeze_excitation import SqueezeExcitation

SIDES = (8, 6, 4)

THEIRS = [
    (InvertedBottleneck(8, 8), InvertedResidual(8, 8, 1, 6)),
    (InvertedBottleneck(8, 12, 2), InvertedResidual(8, 12, 2, 6)),
    (InvertedBottleneck(8, 4, expansion=1), InvertedResidual(8, 4, 1, 1)),
    (Fire(8, 2, 4, 6), TheirFire(8, 2, 4, 6)),
    (SqueezeExcitation(8, 4), torchvision.ops.SqueezeExcitation(8, 2)),
    (Inception(8, 2, 3, 4, 1, 2, 3, widest=3), TheirInception(8, 2, 3, 4, 1, 2, 3)),
]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("ours", "theirs"), THEIRS)
def test_agrees_with_torchvision(ours: nn.Module, theirs: nn.Module) -> None:
    ours, theirs = ours.double(), theirs.double()
    for name, tensor in theirs.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.1 if "running" in name else torch.randn_like(tensor))
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 8, 9, 10, dtype=torch.float64)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(ours.train()(x), theirs.train()(x), rtol=1e-8, atol=1e-12)


MAKERS: list[tuple[Any, int, int]] = [
    (lambda dims: InvertedBottleneck(8, 6, 2, dims=dims), 6, 2),
    (lambda dims: InvertedBottleneck(8, 8, dims=dims), 8, 1),
    (lambda dims: Fire(8, 4, 4, 6, dims=dims), 10, 1),
    (lambda dims: SqueezeExcitation(8, 2, dims=dims), 8, 1),
    (lambda dims: Inception(8, 2, 3, 4, 3, 2, 3, dims=dims), 11, 1),
    (lambda dims: MlpConvolution(8, [16, 8, 8], 3, padding=1, stride=2, dims=dims), 8, 2),
    (lambda dims: PreActivationBlock(8, 8, dims=dims), 8, 1),
    (lambda dims: PreActivationBlock(8, 12, 2, dims=dims), 12, 2),
]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("make", "channels", "shrink"), MAKERS)
def test_works_in_every_dimension(make: Any, channels: int, shrink: int, dims: int) -> None:
    torch.manual_seed(0)
    block = make(dims)
    y = block(torch.randn(4, 8, *SIDES[:dims]))
    assert y.shape == (4, channels, *(side // shrink for side in SIDES[:dims]))
    assert_learns(block, y)


def test_inception_has_googlenets_sizes() -> None:
    module = Inception(192, 64, 96, 128, 16, 32, 32)  # the paper's table 1, inception (3a)
    convolutions = sum(p.numel() for name, p in module.named_parameters() if "conv" in name)
    assert convolutions == 192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32
    assert module(torch.zeros(1, 192, 28, 28)).shape == (1, 256, 28, 28)


def test_mlpconv_is_a_perceptron_on_each_patch() -> None:
    layer = MlpConvolution(2, [6, 5, 4], 3)
    x = torch.randn(1, 2, 5, 5)
    hidden = x[0, :, 1:4, 2:5].flatten()
    for conv in (layer[0], layer[2], layer[4]):
        hidden = torch.relu(conv.weight.flatten(1) @ hidden + conv.bias)
    torch.testing.assert_close(layer(x)[0, :, 1, 2], hidden, atol=1e-5, rtol=1e-5)


def test_mlpconv_needs_a_width() -> None:
    with pytest.raises(ValueError, match="not none"):
        MlpConvolution(2, [], 3)


def test_a_pre_activation_block_adds_to_its_untouched_input() -> None:
    block = PreActivationBlock(4, 4)
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x)  # negative values too, which a rectifier behind the sum would cut


def test_pre_activation_is_norm_relu_conv_twice() -> None:
    block = PreActivationBlock(4, 6, 2).eval()
    block.bn1.running_mean.normal_()
    block.bn2.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 4, 7, 7)
    seen = torch.relu(block.bn1(x))
    inner = torch.relu(block.bn2(torch.conv2d(seen, block.conv1.weight, None, 2, 1)))
    around = torch.conv2d(seen, block.downsample.weight, None, 2)
    torch.testing.assert_close(block(x), torch.conv2d(inner, block.conv2.weight, None, 1, 1) + around)


def test_an_inverted_bottleneck_needs_filters_with_a_middle() -> None:
    with pytest.raises(ValueError, match="odd extent, not 4"):
        InvertedBottleneck(4, 4, kernel=4)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_padding_has_no_say_in_squeeze_and_excitation(dims: int) -> None:
    block = SqueezeExcitation(4, 1, dims=dims)
    x, mask = torch.randn(2, 4, *SIDES[:dims]), torch.ones(2, *SIDES[:dims], dtype=torch.bool)
    mask[:, 5:] = False  # along the first axis
    x[:, :, 5:] += 5
    torch.testing.assert_close(block(x, mask)[:, :, :5], block(x[:, :, :5]))
    assert not torch.allclose(block(x)[:, :, :5], block(x[:, :, :5]))


def test_squeeze_excitation_keeps_one_number_and_refuses_to_grow() -> None:
    assert SqueezeExcitation(4, 16).fc1.weight.shape == (1, 4, 1, 1)
    with pytest.raises(ValueError, match="not 0"):
        SqueezeExcitation(4, 0)
