"""RandAugment and TrivialAugment: a few of fourteen operations, drawn for each picture.

The operations are those of Cubuk et al. 2019, "AutoAugment" (appendix), as Pillow computes them, less Invert and Sample
Pairing; what comes in at the edges is the picture reflected. All pictures of a batch go through the same arithmetic: an
operation that a picture did not draw has the strength 0 there, and so does nothing. That takes no branch, and no word
from the device to the host.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from multicnn.image.augment_draws import as_given, draw, swing
from multicnn.image.augment_warp import affine, warped

OPERATIONS = (
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "color",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "auto_contrast",
    "equalize",
)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's mode L
LEVELS = 30  # magnitudes are numbers from 0 to 30


@dataclass(frozen=True, slots=True)
class Ranges:
    """What the operations do at full strength.

    Attributes:
        shear: columns for each row.
        translate: share of the side.
        rotate: degrees.
        enhance: how far the factors of brightness, colour, contrast and sharpness go from 1.
        posterize: bits that are taken away, of 8.
    """

    shear: float
    translate: float
    rotate: float
    enhance: float
    posterize: float


# AutoAugment's ranges, which RandAugment has taken over; 150 pixels of pictures of 331.
RANDAUGMENT = Ranges(shear=0.3, translate=150 / 331, rotate=30, enhance=0.9, posterize=4)
# Müller and Hutter 2021, "Wide"; 32 pixels of pictures of 32.
TRIVIAL = Ranges(shear=0.99, translate=1.0, rotate=135, enhance=0.99, posterize=6)


class RandAugment(nn.Module):
    """n operations one after another, all with the same strength: Cubuk et al. 2019, "RandAugment".

    Args:
        n: how many, at least 1.
        m: the strength, 0 to 30.
    """

    def __init__(self, n: int, m: float) -> None:
        super().__init__()
        if n < 1 or not 0 <= m <= LEVELS:
            raise ValueError(f"RandAugment has n of 1 or more and m from 0 to {LEVELS}, not {n} and {m}")
        self.n, self.m = n, m

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        for _ in range(self.n):
            chosen, sign = _choice(x, generator)
            x = operate(x, chosen, torch.full_like(sign, self.m / LEVELS), sign, RANDAUGMENT)
        return x


class TrivialAugment(nn.Module):
    """One operation with a strength of its own: Müller and Hutter 2021, "TrivialAugment", with its wide ranges."""

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of 0 to 255, [batch, height, width, channels], to as many of the same size."""
        chosen, sign = _choice(x, generator)
        level = (draw(1, len(x), generator, x)[0] * (LEVELS + 1)).floor()
        return operate(x, chosen, level / LEVELS, sign, TRIVIAL)


def _choice(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The number of an operation and a direction, -1 or 1, for each picture."""
    chosen = (draw(1, len(x), generator, x)[0] * len(OPERATIONS)).long()
    return chosen, torch.where(swing(1, len(x), generator, x)[0] < 0, -1.0, 1.0)


def operate(x: Tensor, chosen: Tensor, strength: Tensor, sign: Tensor, ranges: Ranges) -> Tensor:
    """Does one operation to each picture.

    Args:
        x: pictures of 0 to 255, [batch, height, width, channels]; floats are rounded.
        chosen: numbers into OPERATIONS, [batch].
        strength: 0 to 1, [batch].
        sign: the direction, where there are two: -1 or 1, [batch].
        ranges: what a strength of 1 means.
    """
    drawn = {name: strength * (chosen == number) for number, name in enumerate(OPERATIONS)}
    picture = as_given(x.float(), x).to(torch.uint8)
    picture = _move(picture, drawn, sign, ranges)
    picture = _relight(picture, drawn, sign, ranges, chosen)
    picture = _blend(picture, 1 + ranges.enhance * sign * drawn["color"], grey(picture))
    picture = _blend(picture, 1 + ranges.enhance * sign * drawn["sharpness"], smooth(picture))
    return picture.to(x.dtype)


def _move(picture: Tensor, drawn: dict[str, Tensor], sign: Tensor, ranges: Ranges) -> Tensor:
    height, width = picture.shape[1:3]
    still = torch.zeros_like(sign)
    maps = affine(
        rotation=(sign * drawn["rotate"] * ranges.rotate).deg2rad(),
        slant=sign * drawn["shear_x"] * ranges.shear,
        size=still + 1,
        shift=torch.stack([sign * drawn["translate_x"], sign * drawn["translate_y"]]) * ranges.translate,
        sides=(height, width),
    )
    maps[:, 1, 0] -= sign * drawn["shear_y"] * ranges.shear * width / height
    return warped(picture, maps)


def _relight(picture: Tensor, drawn: dict[str, Tensor], sign: Tensor, ranges: Ranges, chosen: Tensor) -> Tensor:
    """What looks at one value at a time, as a table of 256 answers for each picture and channel."""
    enhance = ranges.enhance * sign[:, None, None]
    planes = picture.flatten(1, 2).mT.long()  # [batch, channels, pixels]
    values = torch.arange(256.0, device=picture.device).expand(*planes.shape[:2], 256)
    mean = grey(picture).float().mean(dim=(1, 2, 3)).round()[:, None, None]

    table = values * (1 + enhance * drawn["brightness"][:, None, None])
    table = mean + (table - mean) * (1 + enhance * drawn["contrast"][:, None, None])
    table = table.clamp(0, 255).round()
    lost = (ranges.posterize * drawn["posterize"]).round().exp2()[:, None, None]
    table = (table / lost).floor() * lost
    threshold = (256 - 256 * drawn["solarize"])[:, None, None]
    table = torch.where(table < threshold, table, 255 - table)
    for name, answers in (("auto_contrast", stretched(planes)), ("equalize", equalised(planes))):
        table = torch.where((chosen == OPERATIONS.index(name))[:, None, None], answers, table)
    return table.to(torch.uint8).gather(2, planes).mT.reshape(picture.shape)


def stretched(planes: Tensor) -> Tensor:
    """The table that spreads the values of a channel from 0 to 255.

    Args:
        planes: whole numbers 0 to 255, [batch, channels, pixels].

    Returns:
        float32 [batch, channels, 256].
    """
    low, high = (one.float()[..., None] for one in planes.aminmax(dim=-1))
    values = torch.arange(256.0, device=planes.device)
    spread = ((values - low) * 255 / (high - low).clamp_min(1)).floor().clamp(0, 255)
    return torch.where(high > low, spread, values)


def equalised(planes: Tensor) -> Tensor:
    """The table that makes all values about equally frequent; shapes as in `stretched`.

    As in Pillow, a step has a 255th of the pixels, less those of the brightest value; with fewer, nothing is done.
    """
    counts = torch.zeros(*planes.shape[:2], 256, dtype=torch.int64, device=planes.device)
    counts.scatter_add_(2, planes, torch.ones_like(planes))
    brightest = planes.amax(dim=-1, keepdim=True)
    step = (planes.shape[-1] - counts.gather(2, brightest)) // 255
    below = counts.cumsum(dim=-1) - counts
    table = (below + step // 2) // step.clamp_min(1)
    values = torch.arange(256, device=planes.device)
    return torch.where(step > 0, table, values).clamp(0, 255).float()


def grey(picture: Tensor) -> Tensor:
    """The luma of bytes, [batch, height, width, 1]; a picture of one channel is its own."""
    if picture.shape[-1] == 1:
        return picture
    luma = torch.tensor(LUMA, device=picture.device)
    return (picture.float() @ luma).round()[..., None].to(torch.uint8)


def smooth(picture: Tensor) -> Tensor:
    """Pillow's SMOOTH of bytes: neighbours count 1 and the pixel itself 5, of 13; the border stays as it is."""
    if min(picture.shape[1:3]) < 3:
        return picture
    x = picture.float()
    rows = x[:, :-2] + x[:, 1:-1] + x[:, 2:]
    around = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    x[:, 1:-1, 1:-1] = ((around + 4 * x[:, 1:-1, 1:-1]) / 13).round()
    return x.to(torch.uint8)


def _blend(picture: Tensor, factor: Tensor, other: Tensor) -> Tensor:
    """From the other picture (0) over this one (1) and beyond."""
    other = other.float()
    return as_given(other + factor[:, None, None, None] * (picture - other), picture)
