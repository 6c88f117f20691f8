"""Sounds that are copies of others, though their files differ."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from multicnn.data.example import Example
from multicnn.data.report import Section, counted
from multicnn.errors import InputError

TELLING = 0.1  # seconds; a smaller lag may come from the encoding


def warn_of_copies(section: Section, examples: Sequence[Example]) -> None:
    """Adds a warning about sounds whose fingerprints agree: encoded anew, louder, shifted, cut.

    Args:
        section: of the report.
        examples: sounds, one of each content.
    """
    from multicnn.audio.fingerprint import find_copies

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        fingerprints = list(pool.map(_fingerprint, examples))
    told = [_told(examples[one], examples[other], lag) for one, other, lag in find_copies(fingerprints)]
    if told:
        section.warn(
            f"{counted(len(told), 'pair')} of sounds that sound like copies (encoded anew, louder, shifted or cut); "
            "a column that is the same for both, and --group-column, keep them on one side",
            told,
        )


def _fingerprint(example: Example) -> np.ndarray:
    """What cannot be read is like nothing; it is told elsewhere."""
    from multicnn.audio.fingerprint import fingerprint

    try:
        return fingerprint(example.load())
    except InputError:
        return np.zeros(0, np.uint32)


def _told(one: Example, other: Example, lag: float) -> str:
    """`a.wav (train, dog) = b.mp3 (test, dog), 1.2 s earlier`."""
    names = [f"{e.name} ({e.split or 'train'}, {e.label})" for e in (one, other)]
    shift = f", {abs(lag):.1f} s {'earlier' if lag > 0 else 'later'}" if abs(lag) >= TELLING else ""
    return " = ".join(names) + shift
