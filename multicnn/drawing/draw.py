"""A network of the catalogue as a picture."""

import torch
from torch import nn

from multicnn.catalogue import build, classes_of, example, full_input, refusal
from multicnn.drawing.dot import dot
from multicnn.drawing.graph import trace
from multicnn.drawing.png import png
from multicnn.drawing.sheet import lay_out
from multicnn.drawing.simplify import simplify
from multicnn.drawing.svg import svg
from multicnn.errors import UsageError


def draw(
    name: str,
    form: str,
    shape: tuple[int, ...] | None = None,
    classes: int | None = None,
    vocabulary: int | None = None,
) -> bytes:
    """Draws an architecture on one input, as `catalogue.account` counts it.

    Args:
        name: an architecture.
        form: svg, png or dot.
        shape: of the input; None for its paper's.
        classes: how many; None for its paper's.
        vocabulary: how many words or characters there are, for texts; None for its paper's.

    Raises:
        UsageError: no such architecture, or an input that it does not take.
    """
    shape, classes = full_input(name, shape), classes or classes_of(name)
    with torch.device("cpu" if ":" in name else "meta"):  # some of the other libraries' look at values
        network: nn.Module = build(name, shape, classes, vocabulary)
    try:
        drawing = simplify(trace(network, example(name, shape)))
    except (RuntimeError, ValueError) as error:
        raise UsageError(refusal(name, shape, error)) from error
    if form == "dot":
        return dot(drawing, name).encode()
    sheet = lay_out(drawing)
    return png(sheet) if form == "png" else svg(sheet).encode()
