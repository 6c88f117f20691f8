"""The measured first layer against its definition."""

import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.blocks.whitening import EPSILON, Whitening


def smooth(*shape: int) -> Tensor:
    """Inputs whose neighbours are alike, as those of pictures are."""
    noise = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool2d(noise, 3, stride=1, padding=1) * 3


@pytest.mark.parametrize(("channels", "stride"), [(3, (1, 1)), (1, (2, 1))])
def test_filters_are_the_scaled_principal_components_by_hand(channels: int, stride: tuple[int, int]) -> None:
    x = smooth(6, channels, 9, 12)
    layer = Whitening(channels, stride=stride)
    layer.fit(x.split(4))
    rows, columns = (range(0, side - 1, step) for side, step in zip(x.shape[2:], stride, strict=True))
    patches = np.array([one[:, i : i + 2, j : j + 2].numpy().ravel() for one in x for i in rows for j in columns])
    values, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    filters = layer.weight.flatten(1).double().numpy()
    half = len(filters) // 2
    assert half == 4 * channels
    np.testing.assert_array_equal(filters[half:], -filters[:half])
    scaled = vectors.T / np.sqrt(values + EPSILON)[:, None]
    np.testing.assert_allclose(np.abs((filters[:half] * scaled).sum(1)), (scaled**2).sum(1), rtol=1e-3)  # but for signs


def test_what_it_gives_is_uncorrelated_and_of_one_size() -> None:
    x = smooth(20, 3, 16, 16)
    layer = Whitening(3)
    layer.fit([x])
    given = layer(x)[:, :12].transpose(0, 1).flatten(1)
    moments = given @ given.T / given.shape[1]
    torch.testing.assert_close(moments, torch.eye(12), atol=0.01, rtol=0)


def test_channels_that_never_vary_do_no_harm() -> None:
    x = smooth(4, 2, 8, 8)
    x[:, 1] = 0
    layer = Whitening(2)
    layer.fit([x])
    assert layer.weight.isfinite().all()
    assert layer(x).abs().max() < 50


def test_only_the_bias_learns() -> None:
    layer = Whitening(1)
    layer(smooth(2, 1, 6, 6)).square().sum().backward()
    assert layer.weight.grad is None
    assert layer.bias is not None
    assert layer.bias.grad is not None
