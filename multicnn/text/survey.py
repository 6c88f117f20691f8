"""Which words texts have, how often, and how many. Torch-free."""

import os
from array import array
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from multicnn.data.processes import WORTH, shared
from multicnn.data.ragged import Packer, Ragged
from multicnn.data.strings import Strings
from multicnn.text.pieces import Pieces

COUNTED_AT_ONCE = 1 << 20  # counting takes twice their memory


@dataclass(frozen=True, slots=True)
class Survey:
    """Texts as numbers of their own words.

    Attributes:
        words: in the order in which they first occur.
        texts: the places of each text's tokens among them.
    """

    words: list[str]
    texts: Ragged

    @property
    def tokens(self) -> int:
        """Of all texts together."""
        return len(self.texts.flat)

    def counts(self) -> Counter[str]:
        """How often each word occurs."""
        found = np.zeros(len(self.words), np.int64)
        for start in range(0, self.tokens, COUNTED_AT_ONCE):
            found += np.bincount(self.texts.flat[start : start + COUNTED_AT_ONCE], minlength=len(found))
        return Counter(dict(zip(self.words, found.tolist(), strict=True)))

    def token_lists(self) -> list[list[str]]:
        """The tokens of each text."""
        return [[self.words[place] for place in text] for text in self.texts]


def survey(texts: Strings, tokenizer: str, workers: int = 1) -> Survey:
    """Tokenises texts, each once.

    Args:
        texts: an empty one counts too.
        tokenizer: a mode of `multicnn.text.tokenize`.
        workers: processes that share many texts; the survey is the same.
    """
    surveyor, words, packer = _Surveyor(tokenizer, texts), _Words(), Packer()
    numbers: dict[int, array[int]] = {}  # of each process's words, among all words
    for found in shared(surveyor.survey, texts.stretches(WORTH), workers):
        known = next(iter(numbers.values()), ())  # copies begin with the words of the process that they are copies of
        own = numbers.setdefault(found.process, array("i", known))
        own.extend(map(words.get, found.words))
        packer.extend(Ragged(np.frombuffer(own, np.int32)[found.texts.flat], found.texts.ends))
    return Survey(list(words), packer.packed())


class _Found(NamedTuple):
    """Some texts as numbers of a process's own words, and those of the words that it had not met before."""

    process: int
    words: list[str]
    texts: Ragged


class _Surveyor:
    """Tokenises stretch after stretch, and remembers the words."""

    def __init__(self, tokenizer: str, texts: Strings) -> None:
        self._texts = texts
        self._words = _Words()
        self._pieces = Pieces(tokenizer, self._words, 0)

    def survey(self, stretch: slice) -> _Found:
        """The texts of a stretch."""
        known = len(self._words)
        ids = self._pieces.read_all(self._texts[stretch])
        return _Found(os.getpid(), list(islice(self._words, known, None)), ids)


class _Words(dict[str, int]):
    """Gives each new word the next number."""

    def get(self, word: str, default: Any = None) -> Any:
        return self.setdefault(word, len(self))
