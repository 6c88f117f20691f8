"""Tint, blur and noise: the definitions by hand, and draws within their bounds."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.image.augment_light import Blur, Noise, Tint, blurred, tinted

LUMA = torch.tensor([0.299, 0.587, 0.114])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int = 4, height: int = 5, width: int = 6) -> Tensor:
    return 60 + 120 * torch.rand(batch, height, width, 3, generator=seeded(1))


def tinted_by_hand(pixel: np.ndarray, saturation: float, turn: float) -> list[float]:
    red, _, blue = pixel
    luma = float(pixel @ [0.299, 0.587, 0.114])
    cb, cr = (blue - luma) / 1.772, (red - luma) / 1.402
    cb, cr = (
        saturation * (cb * math.cos(turn) - cr * math.sin(turn)),
        saturation * (cb * math.sin(turn) + cr * math.cos(turn)),
    )
    red, blue = luma + 1.402 * cr, luma + 1.772 * cb
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return [min(max(c, 0), 255) for c in (red, green, blue)]


def test_tint_agrees_with_the_definition() -> None:
    x, saturation, turn = pictures(3), [0.0, 1.7, 1.0], [0.0, 0.0, 2.0]
    found = tinted(x, torch.tensor(saturation), torch.tensor(turn))
    for one, row, column in np.ndindex(3, 5, 6):
        expected = tinted_by_hand(x[one, row, column].double().numpy(), saturation[one], turn[one])
        np.testing.assert_allclose(found[one, row, column], expected, rtol=0, atol=0.02)


def test_no_saturation_is_the_luma() -> None:
    x = pictures()
    grey = tinted(x, torch.zeros(4), torch.ones(4))
    torch.testing.assert_close(grey, (x @ LUMA)[..., None].expand_as(x), rtol=0, atol=0.01)


def test_tint_draws_within_its_bounds_and_keeps_the_luma() -> None:
    x = torch.tensor([150.0, 120.0, 110.0]).expand(500, 1, 1, 3)
    changed = Tint(saturation=0.5, hue=0.1)(x, seeded())
    torch.testing.assert_close(changed @ LUMA, x @ LUMA, rtol=0, atol=0.01)

    def plane(of: Tensor) -> Tensor:
        red, _, blue = of[:, 0, 0].unbind(1)
        luma = of[:, 0, 0] @ LUMA
        return torch.complex((blue - luma) / 1.772, (red - luma) / 1.402)

    ratio = plane(changed) / plane(x)
    assert 0.499 < ratio.abs().min() < 0.52
    assert 1.48 < ratio.abs().max() < 1.501
    turns = ratio.angle() / (2 * math.pi)
    assert -0.1001 < turns.min() < -0.097
    assert 0.097 < turns.max() < 0.1001


def test_blur_agrees_with_the_definition() -> None:
    x, sigmas, radius = pictures(2), [0.7, 1.5], 5
    found = blurred(x, torch.tensor(sigmas), radius)
    for one, sigma in enumerate(sigmas):
        bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        weights = np.outer(bell, bell) / bell.sum() ** 2
        wide = np.pad(x[one].numpy(), ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
        for row, column in np.ndindex(5, 6):
            window = wide[row : row + 2 * radius + 1, column : column + 2 * radius + 1]
            expected = (weights[..., None] * window).sum((0, 1))
            np.testing.assert_allclose(found[one, row, column], expected, rtol=0, atol=0.01)


def test_blur_of_nothing_is_nothing() -> None:
    x = pictures()
    torch.testing.assert_close(blurred(x, torch.zeros(4), 3), x)


def test_blur_draws_up_to_its_deviation() -> None:
    x = torch.zeros(300, 41, 1, 1)
    x[:, 20] = 255
    bells = Blur(2.0)(x, seeded())[:, :, 0, 0] / 255
    at = torch.arange(41.0) - 20
    sigma = (bells @ at**2).sqrt()
    assert sigma.min() < 0.2
    assert 1.9 < sigma.max() < 2.0
    torch.testing.assert_close(bells.sum(1), torch.ones(300))


def test_noise_draws_its_deviation_and_is_white() -> None:
    x = torch.full((400, 20, 20, 1), 127.0)
    noise = Noise(0.1)(x, seeded()) - x
    deviation = noise.std(dim=(1, 2, 3)) / 255
    assert deviation.min() < 0.005
    assert 0.09 < deviation.max() < 0.11
    assert abs(noise.mean()) < 0.2
    assert abs(np.corrcoef(noise[:, :-1].flatten(), noise[:, 1:].flatten())[0, 1]) < 0.02


@pytest.mark.parametrize("change", [Blur(1.0), Noise(0.5), Tint(1.0, 0.5)])
def test_bytes_stay_within_their_range(change: torch.nn.Module) -> None:
    extremes = torch.randint(0, 2, (20, 6, 6, 3), generator=seeded()).mul(255)
    as_bytes, as_floats = (change(extremes.to(dtype), seeded()) for dtype in (torch.uint8, torch.float32))
    assert as_bytes.dtype == torch.uint8
    torch.testing.assert_close(as_bytes.float(), as_floats, rtol=0, atol=0.501)  # no wrapping around
