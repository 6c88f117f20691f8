"""A loss over a learning rate as SVG text."""

import math
from collections.abc import Iterator, Sequence

from multicnn.drawing.style import BODY, FRAME, INK, PAPER, QUIET

WIDTH, HEIGHT, MARGIN = 640, 400, 56
LINES = 4  # of the grid, over the height
CURVE, CHOSEN = "#2f6fb3", "#c2452d"


class Axes:
    """Places of values, in pixels: rates on a logarithmic axis, losses on a linear one.

    Args:
        rates: the range of the one, above 0; what is outside is drawn at the edge.
        losses: the range of the other, likewise.
    """

    def __init__(self, rates: tuple[float, float], losses: tuple[float, float]) -> None:
        self.left, self.right = map(math.log10, rates)
        self.low, self.high = losses

    def x(self, rate: float) -> float:
        """From the left."""
        power = min(max(math.log10(rate), self.left), self.right)
        return MARGIN + (WIDTH - 2 * MARGIN) * (power - self.left) / (self.right - self.left)

    def y(self, loss: float) -> float:
        """From the top."""
        share = (min(max(loss, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share


def loss_over_rate(rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], chosen: float) -> str:
    """Single losses faintly, their smoothed curve, and a mark at the rate that was chosen.

    Args:
        rates: learning rates, rising, at least two.
        losses: at each of them.
        smoothed: the same.
        chosen: the rate that was taken.
    """
    low, start = min(smoothed), smoothed[0]
    axes = Axes((rates[0], rates[-1]), (low - 0.1 * (start - low), start + 0.5 * (start - low)))
    mark = axes.x(chosen)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' font-family="Helvetica, Arial, sans-serif" font-size="{BODY}" fill="{INK}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        *_grid(axes),
        _line(axes, rates, losses, QUIET, 0.5),
        _line(axes, rates, smoothed, CURVE, 2),
        f'<path d="M{mark:.1f} {MARGIN}V{HEIGHT - MARGIN}" stroke="{CHOSEN}" stroke-dasharray="4 3"/>',
        f'<text x="{mark + 5:.1f}" y="{MARGIN + BODY}" fill="{CHOSEN}">{chosen:.3g}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(axes: Axes) -> Iterator[str]:
    """A line and a number for each power of ten and for a few losses; the axes' names."""
    bottom, right = HEIGHT - MARGIN, WIDTH - MARGIN
    for power in range(math.ceil(axes.left), math.floor(axes.right) + 1):
        x = axes.x(10.0**power)
        yield f'<path d="M{x:.1f} {MARGIN}V{bottom}" stroke="{FRAME}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">1e{power}</text>'
    for number in range(LINES + 1):
        loss = axes.low + (axes.high - axes.low) * number / LINES
        yield f'<path d="M{MARGIN} {axes.y(loss):.1f}H{right}" stroke="{FRAME}"/>'
        yield f'<text x="{MARGIN - 6}" y="{axes.y(loss) + 4:.1f}" text-anchor="end">{loss:.3g}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">learning rate</text>'
    yield f'<text x="{MARGIN - 6}" y="{MARGIN - 14}" text-anchor="end">loss</text>'


def _line(axes: Axes, rates: Sequence[float], losses: Sequence[float], colour: str, width: float) -> str:
    points = " ".join(f"{axes.x(rate):.1f},{axes.y(loss):.1f}" for rate, loss in zip(rates, losses, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
