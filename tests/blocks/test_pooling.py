import itertools

import numpy as np
import pytest
import torch
from block_checks import SideBySide, assert_same_in_onnx
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, GlobalMaxPool, KMaxPool, MaxPool


def pool_by_hand(x: np.ndarray, kernel: int, stride: int, reduce: str) -> np.ndarray:
    """The definition, for one channel with any number of axes."""
    places = [(side - kernel) // stride + 1 for side in x.shape]
    y = np.empty(places)
    for place in np.ndindex(*places):
        window = x[tuple(slice(p * stride, p * stride + kernel) for p in place)]
        y[place] = getattr(window, reduce)()
    return y


def kmax_by_hand(x: list[float], k: int) -> list[float]:
    """The definition, for a channel's real steps: of all choices of k, the first one with the largest sum."""
    if len(x) <= k:
        return x + [0.0] * (k - len(x))
    return list(max(itertools.combinations(x, k), key=sum))


@given(dims=st.integers(1, 3), kernel=st.integers(1, 3), stride=st.integers(1, 3), seed=st.integers(0, 10_000))
def test_windows_agree_with_the_definition(dims: int, kernel: int, stride: int, seed: int) -> None:
    x = torch.randn(1, 2, *[6, 5, 4][:dims], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for pool, reduce in ((MaxPool, "max"), (AveragePool, "mean")):
        y = pool(kernel, stride, dims=dims)(x)
        for channel in range(2):
            np.testing.assert_allclose(
                y[0, channel].numpy(), pool_by_hand(x[0, channel].numpy(), kernel, stride, reduce)
            )


def test_windows_do_not_overlap_unless_told() -> None:
    assert MaxPool(2)(torch.arange(6.0).view(1, 1, 1, 6).expand(1, 1, 2, 6)).tolist() == [[[[1, 3, 5]]]]


def test_the_border_never_wins_a_maximum() -> None:
    assert MaxPool(3, 2, padding=1)(torch.full((1, 1, 3, 3), -5.0)).unique().tolist() == [-5.0]


@pytest.mark.parametrize(("arguments", "message"), [((0,), "at least 1"), ((2, 0), "at least 1")])
def test_windows_refuse_sizes_below_one(arguments: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaxPool(*arguments)


def test_windows_refuse_a_fourth_axis() -> None:
    with pytest.raises(ValueError, match="not 4"):
        AveragePool(2, dims=4)


@given(length=st.integers(1, 7), seed=st.integers(0, 10_000))
def test_global_pools_see_only_what_is_real(length: int, seed: int) -> None:
    x = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    mask = (torch.arange(7) < length).expand(2, 7)
    real = x[..., :length].numpy()
    np.testing.assert_allclose(GlobalAveragePool()(x, mask).numpy(), real.mean(-1))
    np.testing.assert_array_equal(GlobalMaxPool()(x, mask).numpy(), real.max(-1))


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4), (2, 3, 5, 4, 2)])
def test_global_pools_take_any_axes(shape: tuple[int, ...]) -> None:
    x, axes = torch.randn(shape), tuple(range(2, len(shape)))
    torch.testing.assert_close(GlobalAveragePool()(x), x.mean(axes))
    torch.testing.assert_close(GlobalMaxPool()(x), x.amax(axes))


@pytest.mark.parametrize("pool", [GlobalAveragePool(), GlobalMaxPool(), KMaxPool(2)])
def test_nothing_real_gives_zeros(pool: nn.Module) -> None:
    pooled = pool(torch.randn(1, 3, 4), torch.zeros(1, 4, dtype=torch.bool))
    assert not pooled.any()


@given(real=st.lists(st.booleans(), min_size=1, max_size=9), k=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_kmax_agrees_with_the_definition_among_equals_and_holes(real: list[bool], k: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(-2, 3, (2, 3, len(real)), generator=generator).float()
    mask = torch.tensor([real, [True] * len(real)])
    pooled = KMaxPool(k)(x, mask)
    for b, c in np.ndindex(2, 3):
        assert pooled[b, c].tolist() == kmax_by_hand(x[b, c][mask[b]].tolist(), k)


def test_kmax_padding_never_wins() -> None:
    x = torch.tensor([[[-3.0, -1.0, -2.0, 9.0]]])
    mask = torch.tensor([[True, True, True, False]])
    assert KMaxPool(2)(x, mask).tolist() == [[[-1.0, -2.0]]]


def test_kmax_gradient_reaches_only_the_winners() -> None:
    x = torch.tensor([[[1.0, 5.0, 2.0, 4.0]]], requires_grad=True)
    KMaxPool(2)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[0.0, 1.0, 0.0, 1.0]]]


def test_kmax_of_equals_keeps_the_first_whatever_follows() -> None:
    x = torch.tensor([[[0.0, 0.0, 5.0, 0.0, 0.0]]]).repeat(1, 1, 20).requires_grad_()
    KMaxPool(7)(x, torch.arange(100)[None] < 8).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().nonzero().flatten().tolist() == [0, 1, 2, 3, 4, 5, 7]


def test_kmax_hides_no_nan() -> None:
    assert KMaxPool(2)(torch.full((1, 1, 5), torch.nan)).isnan().all()


def test_kmax_refuses_k_below_one() -> None:
    with pytest.raises(ValueError, match="k=0"):
        KMaxPool(0)


class Masked(nn.Module):
    """A pool whose mask comes from the input, as in a text classifier."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, x[:, 0] != 0)


def test_masked_pools_are_the_same_in_onnx_among_equals_too() -> None:
    torch.manual_seed(0)
    pools = SideBySide(*(Masked(pool) for pool in (KMaxPool(4), GlobalMaxPool(), GlobalAveragePool())))
    rectified = [torch.randn(batch, 4, time).relu() for batch, time in ((2, 6), (1, 2), (3, 5), (8, 40), (8, 300))]
    assert_same_in_onnx(pools, *rectified, free=(0, 2))
