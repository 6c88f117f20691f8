"""What a pattern says, once it is taken apart: a chain of layers, each with its place in the text."""

import re
from dataclasses import dataclass, field

from multicnn.errors import UsageError

Value = int | float | tuple[int, ...]


def is_pattern(name: str) -> bool:
    """Whether an architecture is written out as layers: it has a space, a bracket or an arrow, or is just fc."""
    return bool(re.search(r"[\s\[\]]|->", name) or re.fullmatch(r"fc\d*", name, re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class Unit:
    """One layer of a pattern, such as `conv3-64/2:same`.

    Attributes:
        text: as it is written.
        word: `conv`.
        values: what follows the word, (3, 64); `3x1` is (3, 1).
        stride: what follows the slash; None where there is none.
        modifiers: what follows each colon, with its number where it has one.
        optional: marked by `?`: left out where it does not fit.
        start, end: its columns in the pattern, from 0.
        pattern: the whole text.
    """

    text: str
    word: str
    values: tuple[Value, ...]
    stride: Value | None
    modifiers: dict[str, Value | None]
    optional: bool
    start: int
    end: int
    pattern: str = field(repr=False)

    def error(self, message: str) -> "PatternError":
        """An error that points at this layer."""
        return PatternError(f"{self.text}{message}", self.pattern, self.start, self.end)


class PatternError(UsageError):
    """A pattern that cannot be read or built; it shows where.

    Args:
        message: one line.
        pattern: the whole text.
        start, end: the columns that are wrong, from 0.
    """

    def __init__(self, message: str, pattern: str, start: int, end: int) -> None:
        super().__init__(message)
        shown = pattern.replace("\n", " ").replace("\t", " ")
        self.details = f"  {shown}\n  {' ' * start}{'^' * max(1, end - start)}"
