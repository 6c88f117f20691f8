import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_stochastic import MaxPoolDropout, StochasticPool


def windows_by_hand(x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """What lies under each window, for one channel: [*places, values]."""
    x = np.pad(np.maximum(x, 0), padding)
    places = [(side - kernel) // stride + 1 for side in x.shape]
    windows = np.empty([*places, kernel**x.ndim])
    for place in np.ndindex(*places):
        windows[place] = x[tuple(slice(i * stride, i * stride + kernel) for i in place)].flatten()
    return windows


def share_weighted(window: np.ndarray) -> float:
    total = window.sum()
    return sum(value / total * value for value in window) if total else 0.0


def expected_maximum(window: np.ndarray, p: float) -> float:
    """The mean over everything that dropout may leave, each with its probability."""
    mean = 0.0
    for left in itertools.product([False, True], repeat=len(window)):
        chance = np.prod([1 - p if stays else p for stays in left])
        mean += chance * max(value if stays else 0.0 for value, stays in zip(window, left, strict=True))
    return mean


@settings(deadline=None)
@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 2),
    stride=st.integers(1, 2),
    padding=st.integers(0, 1),
    p=st.sampled_from([0.0, 0.3, 0.8]),
    seed=st.integers(0, 10_000),
)
def test_use_agrees_with_the_definition(dims: int, kernel: int, stride: int, padding: int, p: float, seed: int) -> None:
    padding = min(padding, kernel // 2)
    x = torch.randn(1, 2, *[5, 4, 2][:dims], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    drawn = StochasticPool(kernel, stride, padding, dims=dims).eval()(x)
    dropped = MaxPoolDropout(kernel, stride, padding, p=p, dims=dims).eval()(x)
    for channel in range(2):
        windows = windows_by_hand(x[0, channel].numpy(), kernel, stride, padding)
        for place in np.ndindex(*windows.shape[:-1]):
            np.testing.assert_allclose(drawn[(0, channel, *place)].item(), share_weighted(windows[place]))
            np.testing.assert_allclose(
                dropped[(0, channel, *place)].item(), expected_maximum(windows[place], p), atol=1e-12
            )


def test_draws_each_value_as_often_as_its_share_says() -> None:
    torch.manual_seed(0)
    drawn = StochasticPool(2)(torch.tensor([[1.0, 2.0], [-7.0, 5.0]]).expand(40_000, 1, 2, 2)).flatten()
    shares = {value: (drawn == value).float().mean().item() for value in (1.0, 2.0, 5.0)}
    assert shares == pytest.approx({1.0: 1 / 8, 2.0: 2 / 8, 5.0: 5 / 8}, abs=0.01)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("pool", [StochasticPool(3, 2, 1), MaxPoolDropout(3, 2, 1, p=0.4)])
def test_training_gives_on_average_what_use_gives(pool: nn.Module) -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 2, 6, 5)
    mean = pool.train()(x.expand(20_000, -1, -1, -1)).mean(0)
    torch.testing.assert_close(mean, pool.eval()(x)[0], atol=0.03, rtol=0)


def test_the_gradient_reaches_what_was_drawn() -> None:
    x = torch.tensor([[[1.0, 2.0, 4.0, 3.0]]], requires_grad=True)
    drawn = StochasticPool(2, dims=1)(x)
    drawn.sum().backward()
    assert x.grad is not None
    assert x.detach()[x.grad == 1].tolist() == drawn[0, 0].tolist()
    assert x.grad.sum() == 2


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("pool", [StochasticPool(2), MaxPoolDropout(2)])
def test_nothing_active_gives_zero_and_finite_gradients(pool: nn.Module, training: bool) -> None:
    x = torch.full((1, 1, 4, 4), -1.0, requires_grad=True)
    y = pool.train(training)(x)
    y.sum().backward()
    assert not y.any()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("training", [True, False])
def test_dropout_of_nothing_is_max_pooling(training: bool) -> None:
    x = torch.rand(2, 3, 7, 6)
    torch.testing.assert_close(MaxPoolDropout(3, 2, p=0.0).train(training)(x), MaxPool(3, 2)(x))


@pytest.mark.parametrize("p", [-0.1, 1.0])
def test_dropout_refuses_what_is_no_share(p: float) -> None:
    with pytest.raises(ValueError, match=str(p)):
        MaxPoolDropout(2, p=p)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kind", [StochasticPool, MaxPoolDropout])
def test_training_and_use_give_one_shape(kind: type[nn.Module], dims: int) -> None:
    pool: nn.Module = kind(3, 2, 1, dims=dims)
    x: Tensor = torch.randn(2, 3, *[8, 7, 6][:dims])
    assert pool.train()(x).shape == pool.eval()(x).shape


def test_half_precision_does_not_overflow() -> None:
    x = torch.full((1, 1, 4), 60_000.0, dtype=torch.float16)  # its square is beyond the largest number, 65504
    pool = StochasticPool(2, dims=1)
    for y in (pool.eval()(x), pool.train()(x)):
        assert y.dtype == torch.float16
        assert torch.equal(y, x[..., :2])
