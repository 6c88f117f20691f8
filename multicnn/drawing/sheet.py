"""Rows in columns on a sheet, with arrows between the boxes and frames around repeated parts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from multicnn.drawing.rows import LETTER, Row, Slot, by, rows
from multicnn.drawing.simplify import Drawing, Frame

GAP = 26.0  # between rows, in pixels as all lengths
GUTTER = 60.0  # between columns
MARGIN = 30.0
EDGE = 12.0  # between a frame and what is in it
HEADER = 16.0  # a frame's line of text
ASPECT = 1.4  # of the sheet, width to height, about

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A frame's place (left, top) and its line of text."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is drawn. The boxes are slots with nodes; an arrow points at its last point."""

    width: float
    height: float
    boxes: list[Slot]
    arrows: list[list[Point]]
    frames: list[Rectangle]


@dataclass(slots=True)
class _Framed:
    """A frame, the rows that it covers, and the frames within it."""

    frame: Frame
    first: int
    last: int
    inner: "list[_Framed]"

    @property
    def depth(self) -> int:
        """How many frames lie in each other, itself included."""
        return 1 + max((one.depth for one in self.inner), default=0)


def frame_text(frame: Frame) -> str:
    """What a frame says."""
    parameters = f", {frame.parameters:,} parameters in all" if frame.parameters else ""
    return f"{frame.times} times, to {by(frame.output)}{parameters}"


def lay_out(drawing: Drawing) -> Sheet:
    """Places everything that a drawing has."""
    every = rows(drawing.nodes)
    framed = _framed(drawing.frames, every)
    left, bottom = MARGIN, 0.0
    for column in _columns(_pieces(every, framed), every, framed):
        bottom = max(bottom, _set_y(column, every, framed))
        for slot in every[column[0]]:
            slot.gutter = left - GUTTER / 2
        left += _set_left(column, every, framed, left) + GUTTER
    boxes = [slot for row in every for slot in row if slot.node]
    arrows = [[*reversed([*_back(slot, before)])] for slot in boxes for before in slot.before]
    return Sheet(left - GUTTER + MARGIN, bottom + MARGIN, boxes, arrows, [_rectangle(one, every) for one in framed])


def _framed(frames: list[Frame], every: list[Row]) -> list[_Framed]:
    number = {slot.node: index for index, row in enumerate(every) for slot in row if slot.node}
    found: list[_Framed] = []
    for frame in reversed(frames):  # an inner one comes behind the one around it
        places = [number[node] for node in frame.nodes]
        inner = [one for one in found if set(one.frame.nodes) <= set(frame.nodes)]
        found.append(_Framed(frame, min(places), max(places), inner))
    return found[::-1]


def _pieces(every: list[Row], framed: list[_Framed]) -> list[list[int]]:
    """The rows cut where all arrows come from one box and no frame is: there a new column may begin."""
    pieces: list[list[int]] = [[]]
    for number, row in enumerate(every):
        whole = any(one.first < number <= one.last for one in framed)
        sources = {before for slot in row for before in slot.before}
        if not whole and len(sources) == 1 and all(source.node for source in sources):
            pieces.append([])
        pieces[-1].append(number)
    return pieces


def _columns(pieces: list[list[int]], every: list[Row], framed: list[_Framed]) -> list[list[int]]:
    """Fills columns with the pieces; of all heights, one that gives the sheet its aspect and leaves little empty."""
    heights = [sum(_row_height(number, every, framed) for number in piece) for piece in pieces]
    widths = [_right(piece, every, framed) - _left(piece, every, framed) + GUTTER for piece in pieces]
    best, least = [], math.inf
    for most in sorted({sum(heights[start:end]) for end in range(len(pieces) + 1) for start in range(end)}):
        if most < max(heights):
            continue
        columns = _fill(heights, most)
        width = sum(max(widths[piece] for piece in column) for column in columns)
        empty = 1 - sum(heights) / (len(columns) * most)
        off = abs(math.log(width / most / ASPECT)) + empty
        if off < least:
            best, least = columns, off
    return [[number for piece in column for number in pieces[piece]] for column in best]


def _fill(heights: list[float], most: float) -> list[list[int]]:
    """The pieces' numbers, column after column, none higher than this."""
    columns: list[list[int]] = [[]]
    filled = 0.0
    for piece, height in enumerate(heights):
        if columns[-1] and filled + height > most:
            columns.append([])
            filled = 0.0
        columns[-1].append(piece)
        filled += height
    return columns


def _above(number: int, framed: list[_Framed]) -> float:
    """The room that headers need above a row."""
    return (HEADER + EDGE) * max((one.depth for one in framed if one.first == number), default=0)


def _below(number: int, framed: list[_Framed]) -> float:
    return EDGE * max((one.depth for one in framed if one.last == number), default=0)


def _row_height(number: int, every: list[Row], framed: list[_Framed]) -> float:
    return GAP + _above(number, framed) + max(slot.height for slot in every[number]) + _below(number, framed)


def _set_y(column: list[int], every: list[Row], framed: list[_Framed]) -> float:
    """Sets the rows of a column below each other; returns where the last ends."""
    y = MARGIN
    for number in column:
        top, height = y + _above(number, framed), max(slot.height for slot in every[number])
        for slot in every[number]:
            slot.turn = y - GAP / 2
            slot.leave = top + height + _below(number, framed) + GAP / 2
            slot.height = slot.height or height  # a lane goes right through
            slot.y = top + (height - slot.height) / 2
        y += _row_height(number, every, framed)
    return y - GAP


def _set_left(column: list[int], every: list[Row], framed: list[_Framed], left: float) -> float:
    """Shifts a column so that it begins at `left`; returns its width."""
    begins, ends = _left(column, every, framed), _right(column, every, framed)
    for slot in (slot for number in column for slot in every[number]):
        slot.x += left - begins
    return ends - begins


def _left(numbers: list[int], every: list[Row], framed: list[_Framed]) -> float:
    inside = [_reach(one, every)[0] for one in framed if one.first in numbers]
    return min([*inside, *(slot.x - slot.width / 2 for number in numbers for slot in every[number])])


def _right(numbers: list[int], every: list[Row], framed: list[_Framed]) -> float:
    inside = [_reach(one, every)[1] for one in framed if one.first in numbers]
    return max([*inside, *(slot.x + slot.width / 2 for number in numbers for slot in every[number])])


def _reach(one: _Framed, every: list[Row]) -> tuple[float, float]:
    """The left and right end of a frame: with the lanes of its rows where all of their boxes are in it."""
    slots = [slot for row in every[one.first : one.last + 1] for slot in row]
    if not all(slot.node in one.frame.nodes for slot in slots if slot.node):
        slots = [slot for slot in slots if slot.node in one.frame.nodes]
    ends = [(slot.x - slot.width / 2, slot.x + slot.width / 2) for slot in slots]
    ends += [_reach(inner, every) for inner in one.inner]
    left, right = min(end[0] for end in ends) - EDGE, max(end[1] for end in ends) + EDGE
    return left, max(right, left + len(frame_text(one.frame)) * LETTER + EDGE)


def _rectangle(one: _Framed, every: list[Row]) -> Rectangle:
    left, right = _reach(one, every)
    slots = [slot for row in every[one.first : one.last + 1] for slot in row if slot.node in one.frame.nodes]
    top = min(slot.y for slot in slots) - (HEADER + EDGE) * one.depth + EDGE / 2
    bottom = max(slot.bottom for slot in slots) + EDGE * one.depth
    return Rectangle(left, top, right - left, bottom - top, frame_text(one.frame))


def _back(slot: Slot, before: Slot) -> Iterator[Point]:
    """An arrow from its end upwards: to the middle of the gap, across, and through lanes to the box that it leaves."""
    yield slot.x, slot.y
    while True:
        yield slot.x, slot.turn
        turn = slot.turn
        if slot.gutter is not None:
            turn = before.leave
            yield slot.gutter, slot.turn
            yield slot.gutter, turn
        yield before.x, turn
        yield before.x, before.bottom
        if before.node:
            return
        yield before.x, before.y
        slot, before = before, before.before[0]
