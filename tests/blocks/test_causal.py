import numpy as np
import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx, examples

from multicnn.blocks.causal import CausalConvolution


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("kernel", "dilation", "stride"), [(1, 1, 1), (2, 4, 1), (3, 2, 1), (3, 1, 2)])
def test_agrees_with_the_definition(kernel: int, dilation: int, stride: int) -> None:
    conv = CausalConvolution(2, 3, kernel, dilation=dilation, stride=stride).double()
    x = torch.randn(1, 2, 9, dtype=torch.float64)
    y = conv(x)
    assert y.shape == (1, 3, -(-9 // stride))
    for o, place in np.ndindex(*y.shape[1:]):
        total = 0.0
        for c, k in np.ndindex(2, kernel):
            when = place * stride - dilation * (kernel - 1 - k)
            total += conv.weight[o, c, k].item() * x[0, c, when].item() if when >= 0 else 0.0
        assert y[0, o, place].item() == pytest.approx(total)


def test_the_future_changes_nothing() -> None:
    stack = torch.nn.Sequential(*(CausalConvolution(2, 2, 2, dilation=2**i) for i in range(3)))
    x = torch.randn(1, 2, 12)
    other = x.clone()
    other[..., 7:] = torch.randn(1, 2, 5)
    assert torch.equal(stack(x)[..., :7], stack(other)[..., :7])
    assert not torch.equal(stack(x)[..., 7:], stack(other)[..., 7:])
    assert_learns(stack, stack(x))


def test_exports() -> None:
    conv = CausalConvolution(4, 6, 3, dilation=2, stride=2, groups=2)
    assert_same_in_onnx(conv, *examples(4, 1), free=(0, 2))
