"""Weight drift as SVG: a dot for each layer, its correlation above and its relative change below."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from multicnn.drawing.style import BODY, FRAME, INK, PAPER, QUIET, SMALL, TITLE

LEFT, RIGHT, TOP, BETWEEN = 60, 20, 60, 50
HEIGHT = 180  # of each of the two panels
STEP, NARROWEST = 18, 360  # between two layers; of the panels
NAME = 150  # the room for names, which stand upright
LINES = 4  # of the grid, above the lowest


def drift_svg(figures: Mapping[str, Any]) -> str:
    """The picture of a drift.json.

    Args:
        figures: what the file says.
    """
    layers = figures["layers"]
    width = LEFT + max(NARROWEST, STEP * len(layers)) + RIGHT
    below = TOP + HEIGHT + BETWEEN
    height = below + HEIGHT + NAME
    correlations = [layer["correlation"] for layer in layers]
    changes = [layer["relative_change"] for layer in layers]
    lowest = min([0.0, *(value for value in correlations if value is not None)])
    highest = max([1e-6, *(value for value in changes if value is not None)])
    title = f"Weight drift from weights: {figures['weights']}, epoch {figures['epoch']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="Helvetica, Arial, sans-serif">',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="24" font-size="{TITLE}" font-weight="bold" fill="{INK}">{escape(title)}</text>',
        *_panel("correlation with the start", layers, correlations, (lowest, 1.0), TOP, width),
        *_panel("relative change", layers, changes, (0.0, highest), below, width),
        *(_name(number, layer["name"], below + HEIGHT) for number, layer in enumerate(layers)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(
    title: str,
    layers: Sequence[Mapping[str, Any]],
    values: Sequence[float | None],
    scale: tuple[float, float],
    top: int,
    width: int,
) -> Iterator[str]:
    """A grid, the values joined by a line, and a dot for each, which names itself under the pointer."""
    low, high = scale
    yield f'<rect x="{LEFT}" y="{top}" width="{width - LEFT - RIGHT}" height="{HEIGHT}" fill="{FRAME}"/>'
    yield f'<text x="{LEFT}" y="{top - 8}" font-size="{BODY}" fill="{INK}">{title}</text>'
    for line in range(LINES + 1):
        y, value = top + HEIGHT * (1 - line / LINES), low + (high - low) * line / LINES
        yield f'<line x1="{LEFT}" x2="{width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{QUIET}" stroke-width="0.3"/>'
        label = f'font-size="{SMALL}" fill="{QUIET}" text-anchor="end">{value:.3g}</text>'
        yield f'<text x="{LEFT - 6}" y="{y + 3:.1f}" {label}'
    dots = [
        (_x(number), top + HEIGHT * (1 - (value - low) / (high - low)), f"{layers[number]['name']}: {value:.4f}")
        for number, value in enumerate(values)
        if value is not None
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in dots)
    yield f'<polyline points="{points}" fill="none" stroke="{INK}" stroke-width="1"/>'
    for x, y, told in dots:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{INK}"><title>{escape(told)}</title></circle>'


def _x(number: int) -> float:
    return LEFT + STEP * (number + 0.5)


def _name(number: int, name: str, top: int) -> str:
    """A layer's name, read from below, with its end at its dot."""
    x, y = _x(number) + 3, top + 8
    place = f'transform="translate({x:.1f} {y}) rotate(-90)" text-anchor="end"'
    short = name if len(name) <= 30 else f"...{name[-27:]}"
    return f'<text {place} font-size="{SMALL}" fill="{QUIET}">{escape(short)}</text>'
