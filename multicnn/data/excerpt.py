"""A stretch of a recording, which is read without the rest of it."""

import math
from dataclasses import dataclass

from multicnn.data.blob import Blob
from multicnn.errors import InputError


@dataclass(frozen=True, slots=True)
class Excerpt:
    """From `start` to `end` of a recording, in seconds.

    Args:
        source: the whole recording.
        start: 0 or more.
        end: after the start; None for the recording's own end.
    """

    source: Blob
    start: float = 0.0
    end: float | None = None

    def __str__(self) -> str:
        """As a name tells it: `12.5-15`; `12.5-` goes on to the end."""
        return f"{_seconds(self.start)}-{'' if self.end is None else _seconds(self.end)}"


def excerpt_of(name: str, source: Blob, start: str | None, end: str | None) -> tuple[str, Blob | Excerpt]:
    """What a manifest's row means by its columns `start` and `end`.

    Args:
        name: of the recording.
        source: the recording.
        start: seconds as written; empty for the beginning.
        end: likewise; empty for the recording's end.

    Returns:
        The name with the seconds behind it, and the excerpt; both as they were where neither is given.

    Raises:
        InputError: they are no seconds, or in the wrong order.
    """
    if not start and not end:
        return name, source
    try:
        excerpt = Excerpt(source, float(start or 0), float(end) if end else None)
    except ValueError:
        raise InputError(f"start {start!r} and end {end!r} are not both seconds") from None
    last = math.inf if excerpt.end is None else excerpt.end
    if not 0 <= excerpt.start < last or (end and not math.isfinite(last)):
        raise InputError(f"start {start or 0} and end {end} are not seconds that rise from 0 on")
    return f"{name}:{excerpt}", excerpt


def _seconds(value: float) -> str:
    """To the microsecond, without the zeros that say nothing."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
