"""What a box looks like: the field's colours for convolutions, poolings and the rest."""

from multicnn.drawing.graph import Node

INK = "#1d2530"
QUIET = "#6b7684"  # paths of modules, frames
PAPER = "#ffffff"
FRAME = "#f4f6f8"
PLAIN = "#ffffff"

# The first that occurs in a box's kind decides.
FILLS = {
    "input": "#e7e9ec",
    "Pool": "#fde3c8",
    "Conv": "#cfe2f7",
    "Linear": "#d5edd3",
    "Embedding": "#eadcf5",
    "WordVectors": "#eadcf5",
    "Norm": "#f3efd2",
}
TITLE, BODY, SMALL = 12, 11, 9  # heights of letters, in pixels


def fill(node: Node) -> str:
    """The box's colour."""
    return next((colour for part, colour in FILLS.items() if part in node.kind), PLAIN)


def letters(node: Node, line: int) -> tuple[int, str, bool]:
    """Height, colour and boldness of a line of a box: its path is small, its kind is bold."""
    title = 1 if node.name else 0
    if line < title:
        return SMALL, QUIET, False
    return (TITLE, INK, True) if line == title else (BODY, INK, False)
