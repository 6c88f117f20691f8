"""The order in which people count: `2` before `10`."""

import re

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(text: str) -> tuple[list[str | int], str]:
    """A sort key that compares runs of digits as numbers; `01` and `1` still differ."""
    parts: list[str | int] = list(_DIGITS.split(text))
    parts[1::2] = map(int, parts[1::2])
    return parts, text
