"""Boxes in rows: each below its inputs, branches side by side, and lanes for arrows that pass a row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from multicnn.drawing.graph import Node

LINE = 15.0  # heights and widths are in pixels
LETTER = 6.4
SMALL_LETTER = 4.9  # of a module's path
PAD = 9.0  # around the text of a box
APART = 22.0  # between two boxes of a row
LANE = 14.0  # the width of an arrow that passes
YIELDS = 1e-4  # the weight of a lane's wish beside a box's


@dataclass(eq=False, slots=True)
class Slot:
    """A place in a row.

    Attributes:
        node: what stands there; None for a lane.
        lines: its text.
        width, height: what it needs.
        before: the slots in the row above that it hangs on.
        bypass: a lane around other boxes, as a shortcut; it yields to them.
        x, y: its middle and its top.
        turn: how high arrows to it come across; above its frames.
        leave: how low arrows to the next column go; below its frames.
        gutter: where arrows to it come up, if it is the first of a column.
    """

    node: Node | None
    lines: list[str]
    width: float
    height: float
    before: "list[Slot]" = field(default_factory=list)
    bypass: bool = False
    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0
    leave: float = 0.0
    gutter: float | None = None

    @property
    def bottom(self) -> float:
        """Where arrows leave it."""
        return self.y + self.height


Row = list[Slot]


def text(node: Node) -> list[str]:
    """What a box says: the module's path, kind and extent, what goes with it, its output and parameters."""
    title = f"{node.kind} {node.detail}".strip()
    if node.is_join:
        told = [", ".join((title, *node.also))]
        return told if node.kind == "+" else [*told, by(node.output)]
    figures = by(node.output) + (f", {node.parameters:,} parameters" if node.parameters else "")
    return [line for line in (node.name, title, ", ".join(node.also), figures) if line]


def by(sizes: Sequence[int]) -> str:
    """(3, 224, 224) as 3x224x224."""
    return "x".join(map(str, sizes))


def rows(nodes: list[Node]) -> list[Row]:
    """Each node one row below the lowest of its inputs, at its place from left to right."""
    level: dict[Node, int] = {}
    for node in nodes:
        level[node] = max((level[one] + 1 for one in node.inputs), default=0)
    made: list[Row] = [[] for _ in range(max(level.values()) + 1)]
    takers = Counter(one for node in nodes for one in node.inputs)
    widest = max((_width(node) for node in nodes if node.name), default=0.0)
    slots: dict[Node, Slot] = {}
    for node in nodes:
        lines = text(node)
        slots[node] = slot = Slot(node, lines, widest if node.name else _width(node), len(lines) * LINE + PAD)
        for one in node.inputs:
            end = slots[one]
            for row in made[level[one] + 1 : level[node]]:
                end = Slot(None, [], LANE, 0.0, [end], bypass=takers[one] > 1)
                row.append(end)
            slot.before.append(end)
        made[level[node]].append(slot)
    for above, row in pairwise(made):
        place = {slot: number for number, slot in enumerate(above)}
        row.sort(key=lambda slot: (slot.bypass, sum(place[one] for one in slot.before) / len(slot.before)))
    for row in made:
        _set_x(row)
    return made


def _width(node: Node) -> float:
    """What its text needs. All layers' boxes are as wide as the widest, so that branches run straight."""
    lines = text(node)
    small = len(lines.pop(0)) * SMALL_LETTER if node.name else 0.0
    return max(small, *(len(line) * LETTER for line in lines)) + 2 * PAD


def _set_x(row: Row) -> None:
    """Puts each slot below what it hangs on, as far as its neighbours let it.

    The order is kept, and the sum of squared shifts is least: wishes that would cross are pooled into their mean
    (isotonic regression).
    """
    reach = 0.0
    pools: list[tuple[float, float, int]] = []  # mean wish, weight, number of slots
    for before, slot in zip([None, *row], row, strict=False):
        reach += (before.width + slot.width) / 2 + APART if before else 0.0
        mean, weight, count = _wish(slot) - reach, YIELDS if slot.bypass else 1.0, 1
        slot.x = reach
        while pools and pools[-1][0] > mean:
            other, much, many = pools.pop()
            mean = (mean * weight + other * much) / (weight + much)
            weight, count = weight + much, count + many
        pools.append((mean, weight, count))
    shifts = [mean for mean, _, count in pools for _ in range(count)]
    for slot, shift in zip(row, shifts, strict=True):
        slot.x += shift


def _wish(slot: Slot) -> float:
    """The middle of what it hangs on; shortcuts do not pull at it."""
    anchors = [one.x for one in slot.before if not one.bypass] or [one.x for one in slot.before] or [0.0]
    return sum(anchors) / len(anchors)
