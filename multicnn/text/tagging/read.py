"""From a word in its sentence to the numbers of the words around it and of their characters. Torch-free."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from multicnn.data.example import Content, Example
from multicnn.data.word import Word
from multicnn.errors import UsageError

PADDING, UNKNOWN, FIRST = 0, 1, 2
REMEMBERED = 2**16  # words whose numbers need not be looked up again


@dataclass(frozen=True)
class WordReader:
    """Reads a word as int32 [window, 1 + word_length]: for each word of its window the number of the word, in small
    letters, and those of its characters as written. 0 is padding, 1 is what is not known, the known begin at 2.

    Collobert et al. 2011, "Natural Language Processing (Almost) from Scratch", section 3.2.1: a word's tag depends
    mainly on its neighbours; beyond the sentence there is padding.

    Args:
        vocabulary: words in small letters; the first has the number 2.
        alphabet: characters; likewise.
        window: how many words are seen, an odd number; the one in the middle is tagged.
        word_length: characters that are seen of a word; of a longer one the beginning and the end.
    """

    vocabulary: list[str]
    alphabet: list[str]
    window: int
    word_length: int
    windows: ClassVar[bool] = False  # its own window is no cut
    _row: Callable[[str], np.ndarray] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0:
            raise UsageError(f"a window has a word in its middle; text.window is 1, 3, 5, ..., not {self.window}")
        words = {word: number for number, word in enumerate(self.vocabulary, FIRST)}
        characters = {character: number for number, character in enumerate(self.alphabet, FIRST)}

        def row(word: str) -> np.ndarray:
            head = self.word_length // 2
            seen = word if len(word) <= self.word_length else word[: self.word_length - head] + word[len(word) - head :]
            numbers = np.full(1 + self.word_length, PADDING, np.int32)
            numbers[0] = words.get(word.lower(), UNKNOWN)
            numbers[1 : 1 + len(seen)] = [characters.get(character, UNKNOWN) for character in seen]
            return numbers

        object.__setattr__(self, "_row", lru_cache(REMEMBERED)(row))

    def read(self, content: Content) -> np.ndarray:
        """Looks up a word and its neighbours, int32 [window, 1 + word_length]."""
        assert isinstance(content, Word)
        array = np.full((self.window, 1 + self.word_length), PADDING, np.int32)
        first = content.place - self.window // 2
        for place, word in enumerate(content.sentence[max(first, 0) : first + self.window], max(-first, 0)):
            array[place] = self._row(word)
        return array

    def cut(self, example: Example, training: bool = False) -> list[Example]:
        """A word is read as a whole."""
        return [example]

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """One batch, int32 [batch, window, 1 + word_length]."""
        return np.stack(arrays)

    def settings(self) -> dict[str, Any]:
        """The fields; `WordReader(**settings)` is the same reader."""
        return {
            "vocabulary": self.vocabulary,
            "alphabet": self.alphabet,
            "window": self.window,
            "word_length": self.word_length,
        }
