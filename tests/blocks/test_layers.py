"""The small layers and the blocks made of them, each against its formula or torch's own layers."""

import pytest
import torch
from torch import Tensor, nn

from multicnn.blocks.activation import ACTIVATIONS, activation
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dense import DenseBlock, DenseLayer, Transition
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.inception import Inception
from multicnn.blocks.inception_resnet import Block35
from multicnn.blocks.inception_v4 import ReductionA
from multicnn.blocks.inverted import InvertedBottleneck
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.residual import BasicBlock, Bottleneck, PreActivationBlock
from multicnn.blocks.unit import ConvolutionUnit

SIDES = {1: (8,), 2: (8, 6), 3: (8, 6, 4)}
BATCH_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_batch_norm_normalises_and_remembers_like_torchs(dims: int) -> None:
    ours, theirs = BatchNorm(3), BATCH_NORMS[dims](3)
    x = 5 + 2 * torch.randn(4, 3, *SIDES[dims])
    torch.testing.assert_close(ours(x), theirs(x))
    normalised = ours(x).transpose(0, 1).flatten(1)
    torch.testing.assert_close(normalised.mean(1), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalised.var(1, correction=0), torch.ones(3), atol=1e-4, rtol=0)
    theirs(x)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_batch_norm_needs_channels() -> None:
    with pytest.raises(ValueError, match="not 1 axes"):
        BatchNorm(3)(torch.zeros(3))


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    x = Dropout(0.25)(torch.ones(100_000))
    assert x.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (x == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert x.mean().item() == pytest.approx(1, abs=0.01)


def test_dropout_does_nothing_in_use() -> None:
    x = torch.randn(10)
    assert torch.equal(Dropout(0.9).eval()(x), x)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_dropout_refuses_what_is_no_share(share: float) -> None:
    with pytest.raises(ValueError, match=str(share)):
        Dropout(share)


def test_activations_are_found_by_name() -> None:
    x = torch.tensor([-1.0, 0.0, 2.0])
    assert activation("relu")(x).tolist() == [0, 0, 2]
    assert all(activation(name)(x).shape == x.shape for name in ACTIVATIONS)
    with pytest.raises(ValueError, match=r"no activation rleu; did you mean relu\?"):
        activation("rleu")


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    ("make", "channels", "shrink"),
    [
        (lambda dims: ConvolutionUnit(4, 6, dims=dims), 6, 1),
        (lambda dims: ConvolutionUnit(4, 6, stride=2, dims=dims), 6, 2),
        (lambda dims: BasicBlock(4, 4, dims=dims), 4, 1),
        (lambda dims: BasicBlock(4, 6, 2, dims=dims), 6, 2),
        (lambda dims: Bottleneck(4, 3, 2, dims=dims), 12, 2),
        (lambda dims: DenseLayer(4, 3, dims=dims), 3, 1),
        (lambda dims: DenseBlock(3, 4, 2, dims=dims), 10, 1),
        (lambda dims: Transition(4, 2, dims=dims), 2, 2),
    ],
)
def test_blocks_work_in_every_dimension(make, channels: int, shrink: int, dims: int) -> None:  # type: ignore[no-untyped-def]
    block = make(dims)
    y = block(torch.randn(2, 4, *SIDES[dims]))
    assert y.shape == (2, channels, *(side // shrink for side in SIDES[dims]))
    y.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in block.parameters())


@pytest.mark.parametrize(
    ("block", "count"),
    [
        (ConvolutionUnit(4, 6), 1),
        (BasicBlock(4, 6, 2), 3),  # with the projection around
        (Bottleneck(4, 3, 2), 4),
        (PreActivationBlock(4, 6, 2), 1),
        (DenseBlock(2, 4, 2), 2),
        (DenseLayer(4, 4), 1),
        (InvertedBottleneck(4, 4), 3),
        (Inception(4, 2, 3, 4, 3, 2, 3), 6),
        (ReductionA(4, 2, 2, 2, 2), 4),
        (Block35(), 6),
    ],
)
def test_no_convolution_before_a_batch_normalisation_has_a_bias(block: nn.Module, count: int) -> None:
    """The mean is taken off, and the bias with it."""
    answers: list[tuple[Tensor, Convolution]] = []
    before: list[Convolution] = []
    for module in block.modules():
        if isinstance(module, Convolution):
            module.register_forward_hook(lambda conv, _, y: answers.append((y, conv)))
        if isinstance(module, BatchNorm):
            module.register_forward_pre_hook(lambda _, x: before.extend(conv for y, conv in answers if y is x[0]))
    first = next(module for module in block.modules() if isinstance(module, Convolution))
    block(torch.randn(2, first.weight.shape[1], 9, 9))
    assert len(before) == count
    assert all(conv.bias is None for conv in before)


@pytest.mark.parametrize("block", [BasicBlock(4, 4), Bottleneck(16, 4)])
def test_a_residual_block_without_correction_lets_its_input_through(block: nn.Module) -> None:
    last = [module for module in block.modules() if isinstance(module, BatchNorm)][-1]
    nn.init.zeros_(last.weight)
    channels = 4 if isinstance(block, BasicBlock) else 16
    x = torch.rand(2, channels, 5, 5)
    torch.testing.assert_close(block(x), x)


def test_a_dense_block_keeps_its_input_and_shows_it_to_every_layer() -> None:
    block = DenseBlock(3, 4, 2).eval()
    x = torch.randn(1, 4, 5, 5)
    seen: list[Tensor] = []
    for layer in block:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    y = block(x.clone())
    torch.testing.assert_close(y[:, :4], x)
    for depth, maps in enumerate(seen):
        torch.testing.assert_close(maps, y[:, : 4 + 2 * depth])
