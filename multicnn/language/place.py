"""Where a pattern's next layer stands: what comes in, and whether a window fits there."""

import re
from dataclasses import dataclass

from multicnn.blocks.arithmetic import per_axis, same_padding
from multicnn.blocks.convolution import Padding, PaddingMode
from multicnn.language.tree import Unit, Value

# How far from the kernel that was asked for another one is looked for.
NEAR = 6


@dataclass(slots=True)
class Place:
    """What a layer finds.

    Attributes:
        channels: that come in; the numbers of a vector, where there are no axes any more.
        sizes: the extent along each axis; () for a vector.
        rounds: for each axis, whether a window that does not come out whole is rounded down, as along time.
        open: whether the last axis has no fixed length, as in texts.
        classes: how many there are.
        shrunk: whether the maps have become smaller since the last convolution.
        after: the word that follows; None behind the last layer.
    """

    channels: int
    sizes: tuple[int, ...]
    rounds: tuple[bool, ...]
    open: bool
    classes: int
    shrunk: bool = False
    after: str | None = None

    @property
    def dims(self) -> int:
        return len(self.sizes)

    @property
    def bias(self) -> bool:
        """Whether a convolution here needs one: batch normalisation behind it would take it off again."""
        return self.after != "bn"

    def shape(self) -> str:
        """As people write it: 64 x 8 x 8."""
        return " x ".join(map(str, (self.channels, *self._told_sizes())))

    def maps(self) -> str:
        return " x ".join(map(str, self._told_sizes()))

    def _told_sizes(self) -> list[int | str]:
        return [*self.sizes[:-1], "time"] if self.open and self.sizes else list(self.sizes)


@dataclass(frozen=True, slots=True)
class Sliding:
    """A window as a layer takes it."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding
    mode: PaddingMode | float


def sliding(unit: Unit, place: Place, kernel: Value, *, keeps: bool, stride: Value | None = None) -> Sliding:
    """A layer's window, once it is known that it fits.

    Args:
        unit: the layer.
        place: where it stands.
        kernel: the window's extent.
        keeps: whether, at stride 1, it keeps the size where nothing is said.
        stride: its step where nothing is said; 1 where this is left out.

    Raises:
        PatternError: on a fixed axis the arithmetic does not come out whole, or leaves nothing.
    """
    extents = _axes(unit, place, kernel, "a window's extent")
    said = unit.stride if unit.stride is not None else stride
    steps = _axes(unit, place, 1 if said is None else said, "a step")
    spread = _axes(unit, place, unit.modifiers.get("d", 1), "a dilation")
    mode = _mode(unit)
    explicit = [name for name in ("same", "valid", "p") if name in unit.modifiers]
    if len(explicit) > 1:
        raise unit.error(f": :{explicit[0]} and :{explicit[1]} contradict each other")
    if explicit == ["same"] or (keeps and not explicit and max(steps) == 1):
        if place.open and max(steps) > 1:
            raise unit.error(": how much :same adds depends on the whole text; say :p1 or the like")
        return Sliding(extents, steps, spread, "same", mode)
    border = _axes(unit, place, unit.modifiers.get("p", 0), "a padding", least=0)
    for axis, window in enumerate(zip(place.sizes, extents, steps, border, spread, strict=True)):
        if not (place.open and axis == place.dims - 1):
            _check_axis(unit, place, *window, rounds=place.rounds[axis])
    return Sliding(extents, steps, spread, border, mode)


def _axes(unit: Unit, place: Place, value: Value | None, what: str, least: int = 1) -> tuple[int, ...]:
    if value is None or isinstance(value, float):
        raise unit.error(f": {what} is a whole number, not {value}")
    try:
        values = per_axis(value, place.dims)
    except ValueError as error:
        raise unit.error(f" on {place.maps()}: {error}") from None
    if min(values) < least:
        raise unit.error(f": {what} is {least} or more, not {min(values)}")
    return values


def _mode(unit: Unit) -> PaddingMode | float:
    if "fill" in unit.modifiers:
        return float(unit.modifiers["fill"])  # type: ignore[arg-type]
    modes: tuple[PaddingMode, ...] = ("reflect", "replicate", "circular")
    return next((mode for mode in modes if mode in unit.modifiers), "zeros")


def _check_axis(
    unit: Unit, place: Place, size: int, kernel: int, stride: int, padding: int, dilation: int, *, rounds: bool
) -> None:
    """W, F, S, P and D along one axis: whether (W - F + 2P)/S + 1 is a whole number from 1 on."""
    reach = dilation * (kernel - 1) + 1
    room = size - reach + 2 * padding
    whole = room % stride == 0 or rounds or "floor" in unit.modifiers
    if room >= 0 and whole:
        return
    places = room / stride + 1
    told = f"{places:.2f}".rstrip("0").rstrip(".")
    why = "not whole" if room >= 0 else "below 1"
    raise unit.error(
        f" on {place.maps()}: ({size} - {reach} + 2*{padding})/{stride} + 1 = {told} is {why}; "
        f"{_would_work(unit, place, size, kernel, stride, padding, dilation)}"
    )


def _would_work(unit: Unit, place: Place, size: int, kernel: int, stride: int, padding: int, dilation: int) -> str:
    """The nearest settings that come out whole, each with what it gives."""
    found = []
    for other in sorted(range(max(1, kernel - NEAR), kernel + NEAR + 1), key=lambda k: (abs(k - kernel), -k)):
        room = size - dilation * (other - 1) - 1 + 2 * padding
        if other != kernel and room >= 0 and room % stride == 0:
            found.append(f"{_with_kernel(unit, other)} ({room // stride + 1})")
            break
    sides = same_padding(size, kernel, stride, dilation)
    if size + sum(sides) > dilation * (kernel - 1):
        found.append(f":same ({-(-size // stride)})")
    room = size - dilation * (kernel - 1) - 1 + 2 * padding
    if room >= 0:
        found.append(f":floor ({room // stride + 1})")
    *others, last = found or ["a larger input"]
    return f"{', '.join(others)} or {last} would work" if others else f"{last} would work"


def _with_kernel(unit: Unit, kernel: int) -> str:
    """The layer's text with another extent: conv3-8/2 as conv4-8/2."""
    return re.sub(r"^([A-Za-z_]+)(\d+(x\d+)*)?", lambda match: f"{match[1]}{kernel}", unit.text)
