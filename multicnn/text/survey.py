"""Which words texts have, how often, and how many. Torch-free."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from multicnn.data.ragged import Packer, Ragged
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


def survey(texts: Iterable[str], tokenizer: str) -> Survey:
    """Tokenises texts, each once and one at a time.

    Args:
        texts: an empty one counts too.
        tokenizer: a mode of `multicnn.text.tokenize`.
    """
    words, packer = _Words(), Packer()
    pieces = Pieces(tokenizer, words, 0)
    for text in texts:
        packer.add(pieces.read(text))
    return Survey(list(words), packer.packed())


class _Words(dict[str, int]):
    """Gives each new word the next number."""

    def get(self, word: str, default: Any = None) -> Any:
        return self.setdefault(word, len(self))
