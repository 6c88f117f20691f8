"""The spans that tags mark, by the rules of conlleval, which are seqeval's too."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

OUTSIDE = "O"
# BIO, and what the other schemes write: E or L for the last word of a span, S or U for the only one, M for one inside.
TAG = re.compile(r"([BIMELSU])-(.+)")
FIRST, LAST = "BSU", "ELSU"


class Span(NamedTuple):
    """Words `start` to `end`, the last one not among them, that are together a `kind`."""

    start: int
    end: int
    kind: str


@lru_cache(maxsize=4096)
def split_tag(tag: str) -> tuple[str, str]:
    """`B-PER` as `B` and `PER`; `O` as `O` and nothing.

    Raises:
        ValueError: it is no tag of a span.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    match = TAG.fullmatch(tag)
    if not match:
        raise ValueError(f"tags are O, or B- or I- and a type, not {tag!r}")
    return match[1], match[2]


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of a sentence.

    Tjong Kim Sang and Buchholz 2000, "Introduction to the CoNLL-2000 Shared Task: Chunking", section 2. A span also
    begins where a tag says that it goes on and the word before is outside, of another type or its span's last.

    Args:
        tags: one a word, in BIO (IOB1 or IOB2), IOBES, BILOU or BMES.

    Raises:
        ValueError: one is no tag of a span.
    """
    found: list[Span] = []
    goes_on = False  # whether the word before lets its span go on
    for place, tag in enumerate(tags):
        prefix, kind = split_tag(tag)
        if goes_on and prefix not in FIRST and kind == found[-1].kind:
            found[-1] = found[-1]._replace(end=place + 1)
        elif prefix != OUTSIDE:
            found.append(Span(place, place + 1, kind))
        goes_on = prefix not in (OUTSIDE, *LAST)
    return found


def bio_tags(tags: Sequence[str]) -> list[str]:
    """The same spans in BIO: B on the first word of each, I on the others.

    Raises:
        ValueError: one is no tag of a span.
    """
    written = [OUTSIDE] * len(tags)
    for start, end, kind in spans(tags):
        written[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return written


def both_tags(labels: Sequence[str]) -> list[str]:
    """All tags that the types of some tags may need: a type of single words in training may be longer elsewhere."""
    kinds = dict.fromkeys(split_tag(label)[1] for label in labels if label != OUTSIDE)
    return [*(f"B-{kind}" for kind in kinds), *(f"I-{kind}" for kind in kinds), OUTSIDE]
