"""The word vectors that a vocabulary needs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multicnn.errors import UsageError
from multicnn.text.read import FIRST_WORD


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


def pretrained_rows(vectors: Any, vocabulary: Sequence[str], source: str) -> Pretrained:
    """The vectors of a vocabulary.

    Args:
        vectors: gensim's KeyedVectors; fastText's give words that they do not know a vector made of their pieces.
        vocabulary: the words; the first has the number 2.
        source: where the vectors come from, for the message.

    Raises:
        UsageError: there is a vector for none of the words.
    """
    found = {number: vectors[word] for number, word in enumerate(vocabulary, FIRST_WORD) if word in vectors}
    if not found:
        raise UsageError(f"{source} has a vector for none of the {len(vocabulary):,} words of the texts")
    matrix = torch.zeros(FIRST_WORD + len(vocabulary), vectors.vector_size)
    known = torch.zeros(len(matrix), dtype=torch.bool)
    numbers = torch.tensor(list(found))
    matrix[numbers] = torch.from_numpy(np.stack(list(found.values()))).float()
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
