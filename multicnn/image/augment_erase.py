"""Pieces of pictures that are hidden, so that a network does not rely on one spot."""

import math

import torch
from torch import Tensor, nn

from multicnn.image.augment_draws import draw, inside

# Zhong et al. 2017, section 4: the share of the area, and the narrowest shape.
AREA = (0.02, 0.4)
NARROWEST = 0.3


class Cutout(nn.Module):
    """A square takes the picture's mean colour, which keeps the statistics that normalisation expects.

    It is centred anywhere in the picture, so that at the edge a part of it falls outside. DeVries and Taylor 2017,
    "Improved Regularization of Convolutional Neural Networks with Cutout".

    Args:
        side: of the square, in pixels.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        if side < 0:
            raise ValueError(f"cutout is the side of a square, 0 pixels or more, not {side}")
        self.side = side

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        batch, height, width, _ = x.shape
        size = torch.tensor([[height], [width]], device=x.device)
        start = (draw(2, batch, generator, x) * size).long() - self.side // 2
        square = inside(start, torch.full_like(start, self.side), (height, width)).to(x.dtype)
        colour = x.float().mean(dim=(1, 2), keepdim=True).to(x.dtype)
        return x * (1 - square) + colour * square  # for bytes, twice as fast as torch.where


class Erasing(nn.Module):
    """A rectangle takes random values. Zhong et al. 2017, "Random Erasing Data Augmentation", algorithm 1, RE-R.

    It has 2 to 40 % of the area, is at most 10/3 times as long as wide, and lies within the picture.

    Args:
        chance: that it happens to a picture, 0 to 1.
    """

    def __init__(self, chance: float) -> None:
        super().__init__()
        if not 0 <= chance <= 1:
            raise ValueError(f"the chance of an erasing is 0 to 1, not {chance}")
        self.chance = chance

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        batch, height, width, _ = x.shape
        chance = draw(5, batch, generator, x)
        area = AREA[0] + (AREA[1] - AREA[0]) * chance[1]
        shape = ((2 * chance[2] - 1) * math.log(NARROWEST)).exp()
        size = torch.tensor([[height], [width]], device=x.device)
        length = (torch.stack([area * shape, area / shape]) * height * width).sqrt().round().long()
        length = length.clamp(min=1).minimum(size)
        start = (chance[3:] * (size - length + 1)).long()
        erased = inside(start, length, (height, width)) & (chance[0] < self.chance)[:, None, None, None]
        values = torch.rand(x.shape, generator=generator, device=generator.device).to(x.device) * 256
        return torch.where(erased, values.clamp(max=255).to(x.dtype), x)
