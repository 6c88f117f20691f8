import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from multicnn.blocks.pooling_ceil import CeilMaxPool


def windows_by_hand(side: int, kernel: int, stride: int, padding: int) -> list[slice]:
    """Where the windows of one axis lie: on they go until nothing is left over, but none begins behind the input."""
    found, start = [], -padding
    while not found or (start - stride + kernel < side + padding and start < side):
        found.append(slice(max(start, 0), start + kernel))
        start += stride
    return found


@given(
    kernel=st.integers(1, 3),
    stride=st.integers(1, 4),
    padding=st.integers(0, 1),
    dims=st.integers(1, 3),
    seed=st.integers(0, 10_000),
)
def test_agrees_with_the_definition(kernel: int, stride: int, padding: int, dims: int, seed: int) -> None:
    padding, sides = min(padding, kernel // 2), [7, 5, 4][:dims]
    x = torch.randn(1, 1, *sides, generator=torch.Generator().manual_seed(seed))
    y = CeilMaxPool(kernel, stride, padding, dims=dims)(x)[0, 0].numpy()
    windows = [windows_by_hand(side, kernel, stride, padding) for side in sides]
    assert y.shape == tuple(map(len, windows))
    for place in np.ndindex(*y.shape):
        assert y[place] == x[0, 0].numpy()[tuple(axis[p] for axis, p in zip(windows, place, strict=True))].max()


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "side", "places"), [(2, 3, 1, 7, 3), (3, 2, 0, 6, 3), (3, 2, 1, 8, 5)]
)
def test_has_as_many_places_as_it_says(kernel: int, stride: int, padding: int, side: int, places: int) -> None:
    assert CeilMaxPool(kernel, stride, padding, dims=1)(torch.zeros(1, 1, side)).shape[2] == places
