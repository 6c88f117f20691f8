"""A sheet as a PNG picture."""

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from multicnn.drawing.rows import LINE, PAD, Slot
from multicnn.drawing.sheet import Point, Rectangle, Sheet
from multicnn.drawing.style import BODY, FRAME, INK, PAPER, QUIET, fill, letters

SCALE = 2  # dots for each pixel of the sheet
HEAD = 7.0  # an arrow's head


def png(sheet: Sheet) -> bytes:
    """One picture, twice as fine as the SVG's pixels."""
    picture = Image.new("RGB", (round(sheet.width * SCALE), round(sheet.height * SCALE)), PAPER)
    draw = ImageDraw.Draw(picture)
    for frame in sorted(sheet.frames, key=lambda one: -one.height):
        corners = _scaled((frame.x, frame.y), (frame.x + frame.width, frame.y + frame.height))
        draw.rounded_rectangle(corners, 6 * SCALE, FRAME, QUIET, SCALE)
    for way in sheet.arrows:
        _arrow(draw, way)
    for frame in sheet.frames:
        _label(draw, frame)
    for slot in sheet.boxes:
        _box(draw, slot)
    content = BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def _scaled(*points: Point) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def _arrow(draw: ImageDraw.ImageDraw, way: list[Point]) -> None:
    draw.line(_scaled(*way), INK, SCALE)
    x, y = way[-1]
    draw.polygon(_scaled((x, y), (x - HEAD / 2, y - HEAD), (x + HEAD / 2, y - HEAD)), INK)


def _label(draw: ImageDraw.ImageDraw, frame: Rectangle) -> None:
    (place,) = _scaled((frame.x + 7, frame.y + 14))
    draw.text(place, frame.text, INK, _font(BODY), anchor="ls", stroke_width=2 * SCALE, stroke_fill=FRAME)


def _box(draw: ImageDraw.ImageDraw, slot: Slot) -> None:
    assert slot.node is not None
    half, rounding = slot.width / 2, slot.height / 2 if slot.node.is_join else 4
    corners = _scaled((slot.x - half, slot.y), (slot.x + half, slot.bottom))
    draw.rounded_rectangle(corners, rounding * SCALE, fill(slot.node), INK, SCALE)
    for number, line in enumerate(slot.lines):
        size, colour, bold = letters(slot.node, number)
        (place,) = _scaled((slot.x, slot.y + PAD / 2 + LINE * (number + 0.75)))
        # Pillow's own font has no bold letters, so they are drawn with a thin border.
        draw.text(place, line, colour, _font(size), anchor="ms", stroke_width=0.4 * SCALE if bold else 0)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)
