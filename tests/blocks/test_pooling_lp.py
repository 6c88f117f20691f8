"""Overlapping maxima, sums, norms and generalised means."""

import numpy as np
import pytest
import torch
from block_checks import assert_same_in_onnx
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from multicnn.blocks.pooling import GlobalAveragePool, MaxPool
from multicnn.blocks.pooling_lp import GeneralisedMean, LpPool, SumPool


def norm_by_hand(x: np.ndarray, p: float, kernel: int, stride: int, padding: int) -> np.ndarray:
    """The definition, for one channel with any number of axes."""
    x = np.pad(x, padding)
    y = np.empty([(side - kernel) // stride + 1 for side in x.shape])
    for place in np.ndindex(*y.shape):
        window = x[tuple(slice(i * stride, i * stride + kernel) for i in place)]
        y[place] = sum(abs(value) ** p for value in window.flat) ** (1 / p)
    return y


@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 1),
    p=st.sampled_from([1.0, 2.0, 3.5]),
    seed=st.integers(0, 10_000),
)
def test_norms_agree_with_the_definition(
    dims: int, kernel: int, stride: int, padding: int, p: float, seed: int
) -> None:
    padding = min(padding, kernel // 2)
    x = torch.randn(1, 2, *[6, 5, 4][:dims], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    y = LpPool(p, kernel, stride, padding, dims=dims)(x)
    total = SumPool(kernel, stride, padding, dims=dims)(x.abs())
    for channel in range(2):
        by_hand = norm_by_hand(x[0, channel].numpy(), p, kernel, stride, padding)
        np.testing.assert_allclose(y[0, channel].numpy(), by_hand, atol=1e-12)
        if p == 1:
            np.testing.assert_allclose(total[0, channel].numpy(), by_hand, atol=1e-12)


def test_a_sum_keeps_the_sign() -> None:
    assert SumPool(2, dims=1)(torch.tensor([[[1.0, -3.0, 2.0, 2.0]]])).tolist() == [[[-2.0, 4.0]]]


def test_a_high_power_comes_near_the_maximum() -> None:
    x = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(LpPool(400.0, 2)(x), MaxPool(2)(x), rtol=0.01, atol=0)


def test_nothing_under_the_window_gives_zero_and_no_gradient() -> None:
    x = torch.zeros(1, 1, 4, requires_grad=True)
    y = LpPool(2.0, 2, dims=1)(x)
    y.sum().backward()
    assert not y.any()
    assert x.grad is not None
    assert not x.grad.any()


def test_the_gradient_of_a_norm_is_the_direction() -> None:
    x = torch.tensor([[[3.0, -4.0]]], requires_grad=True)
    LpPool(2.0, 2, dims=1)(x).backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([[[0.6, -0.8]]]))


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("p", [2.0, 50.0])
def test_a_norm_leaves_the_range_of_numbers_no_sooner_than_its_input(p: float, size: float) -> None:
    x = torch.tensor([[[size, size, 1.0, 1.0]]], requires_grad=True)  # beside other sizes too
    y = LpPool(p, 2, dims=1)(x)
    torch.testing.assert_close(y, 2 ** (1 / p) * torch.tensor([[[size, 1.0]]]), rtol=1e-5, atol=0)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full_like(x, 2 ** (1 / p - 1)))


@pytest.mark.parametrize("p", [0.5, float("inf"), float("nan")])
def test_a_norm_refuses_what_is_no_power(p: float) -> None:
    with pytest.raises(ValueError, match=f"p={p}"):
        LpPool(p, 2)


def test_windows_overlap_with_a_stride_below_the_kernel() -> None:
    x = torch.arange(49.0).view(1, 1, 7, 7)
    assert MaxPool(3, 2)(x)[0, 0].tolist() == [[16, 18, 20], [30, 32, 34], [44, 46, 48]]
    assert MaxPool(3, 2)(torch.zeros(1, 1, 55, 55)).shape[2:] == (27, 27)  # AlexNet's first


def test_windows_refuse_to_lie_in_the_border() -> None:
    with pytest.raises(ValueError, match=r"half at most, not \(2, 2\)"):
        MaxPool(3, padding=2)


@given(
    length=st.integers(1, 7),
    p=st.sampled_from([0.5, 1.0, 3.0, 7.25, 20.0]),
    seed=st.integers(0, 10_000),
    each=st.booleans(),
    dims=st.integers(1, 3),
)
def test_generalised_mean_agrees_with_the_definition(length: int, p: float, seed: int, each: bool, dims: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(2, 3, *[7, 2, 3][:dims], generator=generator, dtype=torch.float64) + 0.1
    pool = GeneralisedMean(3 if each else None, p=p).double()
    mask = (torch.arange(7) < length).view(7, *[1] * (dims - 1)).expand(2, *x.shape[2:])
    y = pool(x, mask).detach().numpy()
    for b, c in np.ndindex(2, 3):
        real = x[b, c, :length].numpy().flatten()
        np.testing.assert_allclose(y[b, c], (sum(value**p for value in real) / len(real)) ** (1 / p))


def test_generalised_mean_of_power_one_is_the_mean() -> None:
    x = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(GeneralisedMean(p=1.0)(x), GlobalAveragePool()(x))


def test_generalised_mean_learns_its_power_where_nothing_is_real_too() -> None:
    pool, x = GeneralisedMean(3), torch.rand(2, 3, 5, requires_grad=True)
    y = pool(x, torch.tensor([[True, True, False, False, True], [False] * 5]))
    assert not y[1].any()
    y.sum().backward()
    assert pool.p.grad is not None
    assert x.grad is not None
    assert pool.p.grad.isfinite().all()
    assert pool.p.grad.all()
    assert x.grad.isfinite().all()
    assert (x.grad[0] != 0).any(0).tolist() == [True, True, False, False, True]


def test_generalised_mean_does_not_overflow() -> None:
    y = GeneralisedMean(p=50.0)(torch.full((1, 1, 4), 1e6))
    torch.testing.assert_close(y, torch.tensor([[1e6]]), rtol=1e-4, atol=0)


def test_generalised_mean_of_half_precision_counts_beyond_its_range() -> None:
    y = GeneralisedMean(p=1.0).half()(torch.full((1, 1, 300, 300), 0.5, dtype=torch.float16))
    assert y.dtype == torch.float16
    assert y.item() == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("settings", [{"p": 0.0}, {"smallest": 0.0}])
def test_generalised_mean_refuses_what_has_no_power(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(settings))}=0.0"):
        GeneralisedMean(**settings)


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = GeneralisedMean(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, x[:, 0] > 0)


def test_masked_generalised_mean_is_the_same_in_onnx() -> None:
    x = torch.rand(3, 4, 9)
    x[0, 0] = 0  # nothing real
    x[1, 0, 4:] = 0
    assert_same_in_onnx(Masked(), torch.rand(2, 4, 8), x, free=(0, 2))
