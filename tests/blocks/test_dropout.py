"""Dropout of channels and of branches; plain dropout is in test_layers."""

import pytest
import torch
from block_checks import assert_same_in_onnx
from torch import nn

from multicnn.blocks.dropout import SpatialDropout, StochasticDepth, depth_share


@pytest.mark.parametrize("sides", [(7,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize(("kind", "axes"), [(SpatialDropout, 2), (StochasticDepth, 1)])
def test_whole_channels_or_examples_go_and_the_mean_stays(
    kind: type[nn.Module], axes: int, sides: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    shape = (100, 100) if axes == 2 else (10_000, 2)
    x = torch.ones(*shape, *sides)
    dropped = kind(0.25)(x).flatten(axes)
    assert (dropped == dropped[..., :1]).all()  # all of it or nothing
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped[..., 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("kind", [SpatialDropout, StochasticDepth])
def test_does_nothing_in_use_and_leaves_no_trace_in_onnx(kind: type[nn.Module]) -> None:
    layer, x = kind(0.9).eval(), torch.randn(3, 2, 4)
    assert torch.equal(layer(x), x)
    assert_same_in_onnx(nn.Sequential(layer, nn.ReLU()), x, torch.randn(5, 2, 4), atol=0)


@pytest.mark.parametrize("kind", [SpatialDropout, StochasticDepth])
def test_the_gradient_is_dropped_with_its_value(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    x = torch.ones(20, 3, 2, 2, requires_grad=True)
    y = kind(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())


@pytest.mark.parametrize("kind", [SpatialDropout, StochasticDepth])
def test_refuses_what_is_no_share(kind: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="1.5"):
        kind(1.5)


def test_shares_grow_evenly_with_depth() -> None:
    assert [depth_share(block, 4) for block in (1, 2, 3, 4)] == [0.125, 0.25, 0.375, 0.5]
    assert depth_share(54, 54, last=0.2) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="block 5"):
        depth_share(5, 4)
