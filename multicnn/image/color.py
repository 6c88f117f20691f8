"""Colour spaces: from sRGB to others that set brightness and colour apart, inside the graph.

Red, green and blue are those of IEC 61966-2-1 (sRGB) and its white is D65, seen by the CIE's standard observer of 1931
(2 degrees). CIE 15:2004, "Colorimetry", has the formulas of XYZ, Lab and Luv.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

# From linear RGB to XYZ, with the primaries of ITU-R BT.709: each row is one of X, Y and Z.
TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
# What the matrix makes of white, so that greys are grey (a = b = u = v = 0) to the last digit.
WHITE = tuple(sum(row) for row in TO_XYZ)
# ITU-R BT.601's luma and colour differences at full range, as JPEG has them (JFIF 1.02, 1992).
TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
# Lightness is a cube root down to this share of white, and a straight line below: (6/29)^3.
DARK = (6 / 29) ** 3
# Nearer to grey than one unit of chroma nobody sees a hue, and eight bits do not carry one.
LEAST_CHROMA = 1.0


class ColorSpace(nn.Module):
    """Gives a picture's pixels in another colour space.

    | name | channels |
    |---|---|
    | `xyz` | X, Y, Z; Y of white is 1 |
    | `lab` | L* from 0 to 100, a*, b* |
    | `luv` | L* from 0 to 100, u*, v* |
    | `hcl` | cos h, sin h, C, L: Luv in cylindrical coordinates, CIE's LCh(uv) |
    | `hsv` | cos h, sin h, saturation, value: Smith 1978, "Color Gamut Transform Pairs", the hexcone |
    | `ycbcr` | luma from 0 to 1, blue and red difference from -0.5 to 0.5 |
    | `cmyk` | cyan, magenta, yellow, black, 0 to 1: all grey goes into the black, as without any ink's profile |

    A hue is an angle: 359 and 1 degree look alike, but not as numbers. So it is given as its cosine and its sine. Grey
    has no hue, and gets 0 for both.

    Args:
        name: one of those.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in SPACES:
            raise ValueError(f"a colour space is one of {', '.join(SPACES)}, not {name}")
        self.name = name
        self.convert, self.channels = SPACES[name]

    def forward(self, x: Tensor) -> Tensor:
        """sRGB from 0 to 1, float [..., 3], to [..., channels]."""
        return self.convert(x)

    def extra_repr(self) -> str:
        return self.name


def xyz(x: Tensor) -> Tensor:
    """IEC 61966-2-1: the display's gamma is undone, then the primaries are mixed."""
    linear = torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return _mixed(linear, TO_XYZ)


def lab(x: Tensor) -> Tensor:
    """CIE 1976 L*a*b*."""
    parts = (part / white for part, white in zip(xyz(x).unbind(-1), WHITE, strict=True))
    fx, fy, fz = (
        torch.where(part > DARK, part.clamp_min(DARK) ** (1 / 3), part / (3 * DARK ** (2 / 3)) + 4 / 29)
        for part in parts
    )
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], -1)


def luv(x: Tensor) -> Tensor:
    """CIE 1976 L*u*v*; black has no chromaticity, and gets u* = v* = 0."""
    x_, y, z = xyz(x).unbind(-1)
    light = torch.where(y > DARK, 116 * y.clamp_min(DARK) ** (1 / 3) - 16, y * (29 / 3) ** 3)
    whole = (x_ + 15 * y + 3 * z).clamp_min(torch.finfo(x.dtype).tiny)
    white = WHITE[0] + 15 * WHITE[1] + 3 * WHITE[2]
    u = 13 * light * (4 * x_ / whole - 4 * WHITE[0] / white)
    v = 13 * light * (9 * y / whole - 9 * WHITE[1] / white)
    return torch.stack([light, u, v], -1)


def hcl(x: Tensor) -> Tensor:
    """LCh(uv); below a chroma of 1 the hue fades out, for there it would be rounding errors."""
    light, u, v = luv(x).unbind(-1)
    chroma = (u.square() + v.square()).sqrt()
    visible = chroma.clamp_min(LEAST_CHROMA)
    return torch.stack([u / visible, v / visible, chroma, light], -1)


def hsv(x: Tensor) -> Tensor:
    """The hexcone: value is the largest of the three, saturation how far the smallest lies below it."""
    red, green, blue = x.unbind(-1)
    value = x.amax(-1)
    spread = value - x.amin(-1)
    part = spread.clamp_min(torch.finfo(x.dtype).tiny)
    sector = torch.where(
        value == red,
        (green - blue) / part,
        torch.where(value == green, 2 + (blue - red) / part, 4 + (red - green) / part),
    )
    angle = sector * (math.pi / 3)
    has_hue = (spread > 0).to(x.dtype)
    saturation = spread / value.clamp_min(torch.finfo(x.dtype).tiny)
    return torch.stack([angle.cos() * has_hue, angle.sin() * has_hue, saturation, value], -1)


def ycbcr(x: Tensor) -> Tensor:
    """ITU-R BT.601 of the gamma-corrected values, as they are."""
    return _mixed(x, TO_YCBCR)


def cmyk(x: Tensor) -> Tensor:
    """Black is what all three inks share; the rest is spread over what is not black."""
    value = x.amax(-1, keepdim=True)
    inks = (value - x) / value.clamp_min(torch.finfo(x.dtype).tiny)
    return torch.cat([inks, 1 - value], -1)


def _mixed(x: Tensor, rows: Sequence[Sequence[float]]) -> Tensor:
    """A matrix times each pixel, written out: as a product autocast would round it to 8 bits."""
    red, green, blue = x.unbind(-1)
    return torch.stack([row[0] * red + row[1] * green + row[2] * blue for row in rows], -1)


SPACES: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "lab": (lab, 3),
    "luv": (luv, 3),
    "hsv": (hsv, 4),
    "hcl": (hcl, 4),
    "ycbcr": (ycbcr, 3),
    "xyz": (xyz, 3),
    "cmyk": (cmyk, 4),
}
