"""Known words that stand in for unknown ones which are spelt alike. Torch-free: prediction runs exactly this."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

# fastText's shortest pieces; its longest have 6, which tell apart no more than those of 5 and double the work.
SHORTEST, LONGEST = 3, 5
BITS = 18
# How alike two words have to be, as a cosine.
ALIKE = 0.6
# Bounds on what is remembered.
MOST_REMEMBERED = 1 << 17
FNV_PRIME, FNV_START = np.uint32(16_777_619), np.uint32(2_166_136_261)


class StandIns(dict[str, int]):
    """From a word to its number; a word without one gets the number of the known word that is spelt most like it.

    Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information", section 3.2, give a word the sum of the
    vectors of its pieces, hashed into buckets, so that an unknown word lies near those that share pieces with it. Here
    the nearest of these is taken itself: its vector is well learned, whether it came from a file or from the texts, and
    the graph stays a look-up. Words are compared as sets of hashed pieces, each weighted by how rare it is (tf-idf's
    weight); from the same vocabulary comes the same answer everywhere.

    Args:
        numbers: of the known words; of those that are equally alike the first stands in.
    """

    def __init__(self, numbers: Iterable[tuple[str, int]]) -> None:
        super().__init__(numbers)
        self._remembered: dict[str, int | None] = {}

    def get(self, word: str, default: Any = None) -> Any:
        """The number of a word or of its stand-in; `default` where no known word is alike enough."""
        number = super().get(word)
        if number is None:
            number = self._stand_in(word)
        return default if number is None else number

    def _stand_in(self, word: str) -> int | None:
        """Looked for once; several threads may read at the same time."""
        try:
            return self._remembered[word]
        except KeyError:
            number = self._index.nearest(word)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[word] = number
        return number

    @cached_property
    def _index(self) -> "Index":
        return Index(self)


class Index:
    """Which words have which pieces.

    Args:
        numbers: of the words.
    """

    def __init__(self, numbers: dict[str, int]) -> None:
        self.numbers = list(numbers.values())
        pieces, owners = hashed_pieces(list(numbers))
        once = np.unique(pieces * len(numbers) + owners)  # a piece counts once a word
        pieces, owners = np.divmod(once, len(numbers))
        holders = np.bincount(pieces, minlength=1 << BITS)
        self.owners = owners
        self.starts = np.concatenate([[0], holders.cumsum()])
        self.weights = np.log((1 + len(numbers)) / (1 + holders)) ** 2
        self.lengths = np.sqrt(np.bincount(owners, self.weights[pieces], len(numbers)))

    def nearest(self, word: str) -> int | None:
        """The number of the word that is most like this one; None where none is alike enough."""
        pieces = np.unique(hashed_pieces([word])[0])
        weights = self.weights[pieces]
        sharing = [self.owners[self.starts[piece] : self.starts[piece + 1]] for piece in pieces]
        counted = np.repeat(weights, [len(owners) for owners in sharing])
        shared = np.bincount(np.concatenate(sharing), counted, len(self.numbers)) if len(counted) else np.zeros(1)
        cosines = shared / np.maximum(self.lengths, 1e-9)
        best = int(cosines.argmax())
        return self.numbers[best] if cosines[best] > ALIKE * np.sqrt(weights.sum()) else None


def hashed_pieces(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of words, from their first to their last letter, with a mark at both ends.

    Args:
        words: any.

    Returns:
        The bucket of each piece (FNV-1a over code points, its highest bits), and the place of the word that it is of;
        int64 [pieces].
    """
    marked = [f"<{word}>" for word in words]
    signs = np.frombuffer("".join(marked).encode("utf-32-le", "surrogatepass"), np.uint32)
    of = np.repeat(np.arange(len(words)), [len(word) for word in marked])
    buckets, owners = [], []
    hashes = np.full(len(signs), FNV_START)
    for length in range(1, LONGEST + 1):
        hashes = (hashes[: len(signs) - length + 1] ^ signs[length - 1 :]) * FNV_PRIME
        whole = of[: len(hashes)] == of[length - 1 :]
        if length >= SHORTEST:
            mixed = (hashes[whole] ^ (hashes[whole] >> np.uint32(15))) * FNV_PRIME
            buckets.append((mixed >> np.uint32(32 - BITS)).astype(np.int64))
            owners.append(of[: len(hashes)][whole])
    return np.concatenate(buckets), np.concatenate(owners)
