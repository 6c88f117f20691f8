"""Affine maps: the definition pixel by pixel, whole turns and shifts exactly, draws within their bounds."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.image.augment_warp import Warp, affine, warped

SIDES = (5, 7)


def picture(height: int = 5, width: int = 7) -> Tensor:
    return torch.rand(1, height, width, 2, generator=torch.Generator().manual_seed(0)) * 255


def one_map(
    degrees: float = 0.0,
    slant: float = 0.0,
    size: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    sides: tuple[int, int] = SIDES,
) -> Tensor:
    return affine(
        rotation=torch.tensor([math.radians(degrees)]),
        slant=torch.tensor([slant]),
        size=torch.tensor([size]),
        shift=torch.tensor(shift)[:, None],
        sides=sides,
    )


def mirrored(at: float, size: int) -> float:
    """A place beyond the outer edge of the edge pixel, reflected there, and kept to the pixels' centres."""
    while not -0.5 <= at <= size - 0.5:
        at = -1 - at if at < 0 else 2 * size - 1 - at
    return min(max(at, 0), size - 1)


def by_hand(x: np.ndarray, degrees: float, slant: float, size: float, shift: tuple[float, float]) -> np.ndarray:
    """Each new pixel from the four around the place that the steps, taken back one by one, lead to."""
    height, width = x.shape[:2]
    angle = math.radians(degrees)
    new = np.empty_like(x)
    for row, column in np.ndindex(height, width):
        right = column - (width - 1) / 2 - shift[0] * width
        down = row - (height - 1) / 2 - shift[1] * height
        right, down = (
            right * math.cos(angle) + down * math.sin(angle),
            down * math.cos(angle) - right * math.sin(angle),
        )
        right, down = right / size, down / size
        right -= slant * down
        at_x, at_y = mirrored(right + (width - 1) / 2, width), mirrored(down + (height - 1) / 2, height)
        x0, y0 = min(int(at_x), width - 2), min(int(at_y), height - 2)
        dx, dy = at_x - x0, at_y - y0
        upper = (1 - dx) * x[y0, x0] + dx * x[y0, x0 + 1]
        lower = (1 - dx) * x[y0 + 1, x0] + dx * x[y0 + 1, x0 + 1]
        new[row, column] = (1 - dy) * upper + dy * lower
    return new


@pytest.mark.parametrize(
    "settings",
    [
        (0.0, 0.0, 1.0, (0.0, 0.0)),
        (33.0, 0.0, 1.0, (0.0, 0.0)),
        (0.0, 0.4, 1.0, (0.0, 0.0)),
        (0.0, 0.0, 1.7, (0.0, 0.0)),
        (0.0, 0.0, 0.4, (0.0, 0.0)),
        (0.0, 0.0, 1.0, (0.3, -0.2)),
        (-50.0, -0.3, 0.8, (0.1, 0.4)),
    ],
)
def test_agrees_with_the_definition(settings: tuple[Any, ...]) -> None:
    x = picture()
    np.testing.assert_allclose(warped(x, one_map(*settings))[0], by_hand(x[0].numpy(), *settings), rtol=0, atol=0.01)


def test_a_quarter_turn_is_clockwise() -> None:
    x = picture(6, 6)
    turned = warped(x, one_map(90, sides=(6, 6)))
    torch.testing.assert_close(turned, x.rot90(-1, (1, 2)), rtol=0, atol=0.01)


def test_a_shift_goes_right_and_down() -> None:
    x = picture()
    moved = warped(x, one_map(shift=(2 / 7, 1 / 5)))
    torch.testing.assert_close(moved[:, 1:, 2:], x[:, :-1, :-2], rtol=0, atol=0.01)


def test_bytes_are_not_changed_by_no_map() -> None:
    x = torch.randint(0, 256, (3, 31, 17, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    maps = one_map(sides=(31, 17)).expand(3, 3, 3)
    assert torch.equal(warped(x, maps), x)


def ramp(batch: int, side: int = 64) -> Tensor:
    """Each pixel says its own row and column."""
    at = torch.arange(side).float()
    grid = torch.stack([at[:, None].expand(side, side), at[None].expand(side, side)], -1)
    return grid.expand(batch, side, side, 2)


def test_a_resized_crop_is_a_window_of_the_asked_area_and_shape() -> None:
    seen = Warp(resized_crop=0.25, aspect=2.0)(ramp(400), torch.Generator().manual_seed(0))
    inner = seen[:, 8:-8, 8:-8]  # away from the edges, where the reflection begins
    high = (inner[:, -1, 0, 0] - inner[:, 0, 0, 0]) / 47
    wide = (inner[:, 0, -1, 1] - inner[:, 0, 0, 1]) / 47
    area, shape = high * wide, high / wide
    assert 0.24 < area.min() < 0.3
    assert 0.8 < area.max() <= 1.001
    assert 0.49 < shape.min() < 0.6
    assert 1.7 < shape.max() < 2.01
    assert seen.min() >= 0
    assert seen.max() <= 63
    top = inner[:, 0, 0, 0] - 8.5 * high + 0.5  # where the window begins
    assert -0.1 < top.min() < 1
    assert abs(top / (64 * (1 - high)).clamp_min(1) - 0.5).max() < 0.52  # anywhere within
    assert (top / (64 * (1 - high)).clamp_min(1)).std() > 0.2


@pytest.mark.parametrize(("key", "value"), [("rotation", 40.0), ("zoom", 0.3), ("shear", 30.0), ("shift", 0.2)])
def test_draws_fill_their_range(key: str, value: float) -> None:
    seen = Warp(**{key: value})(ramp(400), torch.Generator().manual_seed(0))
    centre = seen[:, 31:33, 31:33]
    per_row, per_column = centre[:, 1, 0] - centre[:, 0, 0], centre[:, 0, 1] - centre[:, 0, 0]
    drawn = {
        "rotation": torch.atan2(per_row[:, 1], per_row[:, 0]).rad2deg(),
        "zoom": 1 / per_row[:, 0] - 1,
        "shear": per_row[:, 1].atan().rad2deg(),
        "shift": (31.5 - centre.mean(dim=(1, 2))[:, 0]) / 64,
    }[key]
    assert -1.01 * value < drawn.min() < -0.95 * value
    assert 0.95 * value < drawn.max() < 1.01 * value
    assert per_column.isfinite().all()
