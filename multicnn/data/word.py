"""A word that knows its sentence: what is tagged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from multicnn.data.example import Example


class Word(str):
    """One word of a sentence, exactly as written.

    Args:
        sentence: all words; those of one sentence share it.
        place: of this word among them, from 0.
    """

    __slots__ = ("place", "sentence")
    sentence: tuple[str, ...]
    place: int

    def __new__(cls, sentence: tuple[str, ...], place: int) -> Self:
        word = super().__new__(cls, sentence[place])
        word.sentence, word.place = sentence, place
        return word


def sentence_starts(examples: Sequence["Example"]) -> np.ndarray | None:
    """Where sentences begin, bool [examples]; None where the examples are no words.

    Args:
        examples: the words of a sentence one behind another.
    """
    places = [example.content.place for example in examples if isinstance(example.content, Word)]
    return np.array(places) == 0 if places else None
