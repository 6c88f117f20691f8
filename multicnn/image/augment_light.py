"""Light, colour, sharpness and grain of each picture, changed by chance."""

import math

import torch
from torch import Tensor, nn

from multicnn.image.augment_draws import as_given, draw, reflect, swing
from multicnn.image.color import TO_YCBCR


class Relight(nn.Module):
    """Contrast scales the distance from the picture's mean, brightness the mean itself.

    Args:
        jitter: each changes by up to this fraction, 0 to 1.
    """

    def __init__(self, jitter: float) -> None:
        super().__init__()
        if not 0 <= jitter <= 1:
            raise ValueError(f"jitter is a fraction from 0 to 1, not {jitter}")
        self.jitter = jitter

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        factor = 1 + self.jitter * swing(2, len(x), generator, x)
        contrast, brightness = factor[:, :, None]
        lit = x.flatten(1).float()
        mean = lit.mean(dim=1, keepdim=True)
        return as_given(torch.addcmul(mean * (brightness - contrast), lit, contrast), x).view(x.shape)


class Tint(nn.Module):
    """Turns the colours of a picture around grey, and makes them paler or stronger; the luma stays.

    Args:
        saturation: the distance from grey changes by up to this fraction, 0 to 1.
        hue: the turn, up to this share of the whole circle of colours either way, 0 to 0.5.
    """

    def __init__(self, saturation: float = 0.0, hue: float = 0.0) -> None:
        super().__init__()
        if not (0 <= saturation <= 1 and 0 <= hue <= 0.5):
            raise ValueError(f"saturation is 0 to 1 and hue 0 to 0.5, not {saturation} and {hue}")
        self.saturation, self.hue = saturation, hue

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """RGB of 0 to 255, [batch, height, width, 3], to as many of the same size."""
        strength, turn = swing(2, len(x), generator, x)
        return tinted(x, 1 + self.saturation * strength, 2 * math.pi * self.hue * turn)


def tinted(x: Tensor, saturation: Tensor, turn: Tensor) -> Tensor:
    """Scales and turns the plane of blue and red difference (Cb, Cr).

    Args:
        x: RGB of 0 to 255, [batch, height, width, 3].
        saturation: factors, [batch].
        turn: radians, [batch].
    """
    to = torch.tensor(TO_YCBCR, device=x.device)
    plane = torch.zeros(len(x), 3, 3, device=x.device)
    plane[:, 0, 0] = 1
    plane[:, 1, 1] = plane[:, 2, 2] = saturation * turn.cos()
    plane[:, 2, 1] = saturation * turn.sin()
    plane[:, 1, 2] = -plane[:, 2, 1]
    whole = to.inverse() @ plane @ to
    return as_given(x.flatten(1, 2).float() @ whole.mT, x).view(x.shape)


class Blur(nn.Module):
    """Gaussian blur.

    Args:
        sigma: the deviation in pixels is drawn from 0 to this.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        if sigma < 0:
            raise ValueError(f"the deviation of a blur is 0 pixels or more, not {sigma}")
        self.sigma = sigma
        self.radius = math.ceil(3 * sigma)  # beyond three deviations nothing is left of the bell

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        return blurred(x, self.sigma * draw(1, len(x), generator, x)[0], self.radius)


def blurred(x: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Means weighted by a bell, down the columns and along the rows; edges are reflected.

    Args:
        x: pictures of 0 to 255, [batch, height, width, channels].
        sigma: the bells' deviations in pixels, [batch].
        radius: pixels on either side that count.
    """
    away = torch.arange(-radius, radius + 1, device=x.device)
    bell = (-0.5 * (away / sigma[:, None].clamp_min(1e-3)) ** 2).exp()
    weights = (bell / bell.sum(1, keepdim=True))[:, :, None, None, None]
    seen = x.float()
    for axis in (1, 2):
        at = reflect(torch.arange(x.shape[axis], device=x.device) + away[:, None], x.shape[axis])
        mean = torch.zeros_like(seen)
        for tap in range(len(away)):
            mean.addcmul_(seen.index_select(axis, at[tap]), weights[:, tap])
        seen = mean
    return as_given(seen, x)


class Noise(nn.Module):
    """White noise, the same chance for each value of each pixel.

    Args:
        deviation: a share of the whole range of values; each picture's is drawn from 0 to this.
    """

    def __init__(self, deviation: float) -> None:
        super().__init__()
        if not 0 <= deviation <= 1:
            raise ValueError(f"the deviation of the noise is a share from 0 to 1, not {deviation}")
        self.deviation = deviation

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        deviation = 255 * self.deviation * draw(1, len(x), generator, x)[0]
        noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x.device)
        return as_given(x + noise * deviation[:, None, None, None], x)
