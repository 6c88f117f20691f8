"""Long recordings as overlapping windows. Torch-free."""

import math
from dataclasses import replace

from multicnn.audio.decode import opened, seconds
from multicnn.data.blob import Blob
from multicnn.data.example import Example
from multicnn.data.excerpt import Excerpt
from multicnn.errors import InputError

NEARLY = 0.001  # of a step: a window that would bring less than this that is new is not worth its time


def starts(length: float, window: float, overlap: float) -> list[float]:
    """Where the windows of a recording start, in seconds; the last one ends with the recording.

    Args:
        length: of the recording.
        window: of each window; a shorter recording has one, which starts at 0.
        overlap: the share of a window that the next one has too, 0 up to 1; the last two may share more.
    """
    step = window * (1 - overlap)
    last = max(0.0, length - window)
    return [min(number * step, last) for number in range(1 + math.ceil(last / step - NEARLY))]


def cut(example: Example, window: float, overlap: float) -> list[Example]:
    """A recording's windows, or the recording itself where it fits into one.

    Args:
        example: of a sound; only its header is read. One that cannot be opened stays as it is, for its reader to tell.
        window: seconds.
        overlap: as for `starts`.

    Returns:
        Examples whose contents are excerpts, in order; two or more are named by their seconds.
    """
    source = example.content
    if isinstance(source, Blob):
        source = Excerpt(source)
    if not isinstance(source, Excerpt):
        return [example]
    first = source.start
    try:
        with opened(source) as file:
            length = (seconds(file) if source.end is None else min(source.end, seconds(file))) - first
    except InputError:
        return [example]
    if length <= 0:
        return [example]
    excerpts = [
        Excerpt(source.source, first + start, first + start + min(window, length))
        for start in starts(length, window, overlap)
    ]
    if len(excerpts) == 1:
        return [replace(example, content=excerpts[0])]
    name = example.name.removesuffix(f":{source}")
    return [replace(example, name=f"{name}:{excerpt}", content=excerpt) for excerpt in excerpts]
