"""A sheet as SVG text."""

from collections.abc import Iterator
from html import escape

from multicnn.drawing.rows import LINE, PAD, Slot
from multicnn.drawing.sheet import Rectangle, Sheet
from multicnn.drawing.style import BODY, FRAME, INK, PAPER, QUIET, fill, letters


def svg(sheet: Sheet) -> str:
    """One picture that any browser shows and scales."""
    width, height = round(sheet.width), round(sheet.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="Helvetica, Arial, sans-serif">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{INK}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *(_rectangle(frame) for frame in sorted(sheet.frames, key=lambda one: -one.height)),
        *(_arrow(way) for way in sheet.arrows),
        *(_label(frame) for frame in sheet.frames),
        *(line for slot in sheet.boxes for line in _box(slot)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rectangle(frame: Rectangle) -> str:
    place = f'x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}"'
    return f'<rect {place} rx="6" fill="{FRAME}" stroke="{QUIET}" stroke-dasharray="4 3"/>'


def _label(frame: Rectangle) -> str:
    """Written over the arrows, with a border of the frame's own colour."""
    return (
        f'<text x="{frame.x + 7:.1f}" y="{frame.y + 14:.1f}" font-size="{BODY}" fill="{INK}" stroke="{FRAME}"'
        f' stroke-width="4" paint-order="stroke">{escape(frame.text)}</text>'
    )


def _arrow(way: list[tuple[float, float]]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in way)
    return f'<polyline points="{points}" fill="none" stroke="{INK}" marker-end="url(#head)"/>'


def _box(slot: Slot) -> Iterator[str]:
    assert slot.node is not None
    left, rounding = slot.x - slot.width / 2, slot.height / 2 if slot.node.is_join else 4
    yield (
        f'<rect x="{left:.1f}" y="{slot.y:.1f}" width="{slot.width:.1f}" height="{slot.height:.1f}"'
        f' rx="{rounding:.1f}" fill="{fill(slot.node)}" stroke="{INK}"/>'
    )
    for number, line in enumerate(slot.lines):
        size, colour, bold = letters(slot.node, number)
        weight = ' font-weight="bold"' if bold else ""
        base = slot.y + PAD / 2 + LINE * (number + 0.75)
        yield (
            f'<text x="{slot.x:.1f}" y="{base:.1f}" font-size="{size}" fill="{colour}"{weight}'
            f' text-anchor="middle">{escape(line)}</text>'
        )
