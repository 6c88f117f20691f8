"""Turned, shifted, slanted, nearer, and cut out: everything that an affine map does, in one resampling."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.image.augment_draws import as_given, draw, swing


class Warp(nn.Module):
    """Maps each picture by its own affine map; what comes in at the edges is the picture reflected.

    Args:
        rotation: by up to this many degrees either way.
        shift: by up to this share of the sides, each way.
        zoom: larger or smaller by up to this share.
        shear: rows slide over each other by up to this many degrees.
        resized_crop: a window with at least this share of the area, anywhere in the picture, fills it: Szegedy et al.
            2015, "Going Deeper with Convolutions", section 6. 0 for none.
        aspect: the window may be so many times as wide as high, or as high as wide; the paper has 4/3.
    """

    def __init__(
        self,
        rotation: float = 0.0,
        shift: float = 0.0,
        zoom: float = 0.0,
        shear: float = 0.0,
        resized_crop: float = 0.0,
        aspect: float = 4 / 3,
    ) -> None:
        super().__init__()
        if not (0 <= rotation <= 180 and 0 <= shear < 90):
            raise ValueError(f"rotation and shear are degrees, up to 180 and below 90, not {rotation} and {shear}")
        if not (0 <= shift <= 1 and 0 <= zoom < 1 and 0 <= resized_crop <= 1):
            raise ValueError(f"shift, zoom and resized crop are shares, not {shift}, {zoom} and {resized_crop}")
        if aspect < 1:
            raise ValueError(f"an aspect is 1 or more, not {aspect}")
        self.rotation, self.shift, self.zoom, self.shear = rotation, shift, zoom, shear
        self.resized_crop, self.aspect = resized_crop, aspect

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        angle, slant, size, right, down = swing(5, len(x), generator, x)
        maps = affine(
            rotation=(angle * self.rotation).deg2rad(),
            slant=(slant * self.shear).deg2rad().tan(),
            size=1 + size * self.zoom,
            shift=torch.stack([right, down]) * self.shift,
            sides=(x.shape[1], x.shape[2]),
        )
        if self.resized_crop:
            maps = self._window(x, generator) @ maps
        return warped(x, maps)

    def _window(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Maps of a window to the whole picture, [batch, 3, 3]; one that sticks out is made narrower."""
        chance = draw(4, len(x), generator, x)
        area = self.resized_crop + (1 - self.resized_crop) * chance[0]
        shape = ((2 * chance[1] - 1) * math.log(self.aspect)).exp()
        lengths = torch.stack([area * shape, area / shape]).sqrt().clamp(max=1)
        maps = torch.diag_embed(torch.cat([lengths, torch.ones_like(lengths[:1])]).T)
        maps[:, :2, 2] = ((2 * chance[2:] - 1) * (1 - lengths)).T
        return maps

    def extra_repr(self) -> str:
        names = ("rotation", "shift", "zoom", "shear", "resized_crop", "aspect")
        return ", ".join(f"{name}={getattr(self, name):g}" for name in names)


def affine(rotation: Tensor, slant: Tensor, size: Tensor, shift: Tensor, sides: tuple[int, int]) -> Tensor:
    """Maps from a place in the new picture to the place in the old one that is seen there.

    Places are measured from the centre, the right and the lower edge at 1. The picture is slanted, made larger, turned
    clockwise, and shifted, in this order.

    Args:
        rotation: radians, [batch].
        slant: columns by which a row slides for each row below the centre, [batch].
        size: 2 is twice as large, [batch].
        shift: to the right and down, as a share of the sides, [2, batch].
        sides: height and width in pixels.

    Returns:
        [batch, 3, 3].
    """
    height, width = sides
    cos, sin = rotation.cos() / size, rotation.sin() / size
    maps = torch.zeros(len(rotation), 3, 3, device=rotation.device)
    # Backwards: turned back by the angle, made smaller, slanted back, which is [1 -slant; 0 1] @ [cos sin; -sin cos].
    maps[:, 0, 0] = cos + slant * sin
    maps[:, 0, 1] = (sin - slant * cos) * height / width
    maps[:, 1, 0] = -sin * width / height
    maps[:, 1, 1] = cos
    maps[:, 2, 2] = 1
    maps[:, :2, 2] = -(maps[:, :2, :2] @ (2 * shift).T[:, :, None])[:, :, 0]
    return maps


def warped(x: Tensor, maps: Tensor) -> Tensor:
    """Looks each pixel up where its map says, bilinearly.

    Args:
        x: pictures of 0 to 255, [batch, height, width, channels].
        maps: as from `affine`, [batch, 3, 3].
    """
    planes = x.permute(0, 3, 1, 2)
    grid = functional.affine_grid(maps[:, :2], list(planes.shape), align_corners=False)
    seen = functional.grid_sample(planes.float(), grid, padding_mode="reflection", align_corners=False)
    return as_given(seen, x).permute(0, 2, 3, 1).contiguous()
