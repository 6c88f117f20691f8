"""The rows of a file of word vectors that a vocabulary needs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from multicnn.errors import UsageError
from multicnn.text.read import FIRST_WORD
from multicnn.text.vectors import open_vectors


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A vector for each number of a vocabulary, and which of them are known.

    Attributes:
        matrix: float32 [numbers, length]; zeros where there is no vector.
        known: bool [numbers]; padding and the unknown word have none.
    """

    matrix: Tensor
    known: Tensor

    @property
    def length(self) -> int:
        """Of a vector."""
        return self.matrix.shape[1]


def pretrained_rows(path: str, vocabulary: Sequence[str]) -> Pretrained:
    """Reads a file of vectors and keeps those of a vocabulary.

    Args:
        path: as in `open_vectors`.
        vocabulary: the words; the first has the number 2.

    Raises:
        UsageError: the file cannot be read, or has none of the words.
    """
    vectors = open_vectors(path)
    matrix = torch.zeros(FIRST_WORD + len(vocabulary), vectors.vector_size)
    places = {number: vectors.key_to_index.get(word) for number, word in enumerate(vocabulary, FIRST_WORD)}
    found = {number: place for number, place in places.items() if place is not None}
    if not found:
        raise UsageError(f"{path} has a vector for none of the {len(vocabulary):,} words of the texts")
    numbers = torch.tensor(list(found))
    matrix[numbers] = torch.from_numpy(vectors.vectors[list(found.values())]).float()
    known = torch.zeros(len(matrix), dtype=torch.bool)
    known[numbers] = True
    return Pretrained(matrix, known)


def coverage(rows: Pretrained, vocabulary: Sequence[str], counts: Counter[str]) -> str:
    """One line: how many of the words, and how much of the running text, have a vector.

    Args:
        rows: of the vocabulary.
        vocabulary: the words.
        counts: how often each word occurs in the texts.
    """
    covered = sum(
        counts[word] for word, known in zip(vocabulary, rows.known[FIRST_WORD:].tolist(), strict=True) if known
    )
    return (
        f"{int(rows.known.sum()):,} of {len(vocabulary):,} words have a vector of {rows.length} numbers, "
        f"{covered / max(counts.total(), 1):.1%} of the running text"
    )
