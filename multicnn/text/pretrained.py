"""The word vectors that a vocabulary needs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multicnn.errors import UsageError
from multicnn.text.read import FIRST_WORD, UNKNOWN
from multicnn.text.tokenize import tokenize

# Words beside those of the training texts that keep their vectors.
MOST_FURTHER = 100_000


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A vector for each number of a vocabulary, and which of them are known.

    Attributes:
        matrix: float32 [numbers, length]; zeros where there is no vector.
        known: bool [numbers]; padding has none, the unknown word only where it is asked for.
    """

    matrix: Tensor
    known: Tensor

    @property
    def length(self) -> int:
        """Of a vector."""
        return self.matrix.shape[1]


def pretrained_rows(
    vectors: Any, vocabulary: Sequence[str], source: str, *, further: Sequence[str] = (), unknown: bool = False
) -> Pretrained:
    """The vectors of a vocabulary.

    Args:
        vectors: gensim's KeyedVectors; fastText's give words that they do not know a vector made of their pieces.
        vocabulary: the words; the first has the number 2.
        source: where the vectors come from, for the message.
        further: words behind the vocabulary's, all of which have a vector.
        unknown: give the unknown word the mean of all vectors.

    Raises:
        UsageError: there is a vector for none of the words of the vocabulary.
    """
    found = {number: vectors[word] for number, word in enumerate(vocabulary, FIRST_WORD) if word in vectors}
    if not found:
        raise UsageError(f"{source} has a vector for none of the {len(vocabulary):,} words of the texts")
    found |= {number: vectors[word] for number, word in enumerate(further, FIRST_WORD + len(vocabulary))}
    if unknown:
        found[UNKNOWN] = vectors.vectors.mean(axis=0, dtype=np.float64)
    matrix = torch.zeros(FIRST_WORD + len(vocabulary) + len(further), vectors.vector_size)
    known = torch.zeros(len(matrix), dtype=torch.bool)
    numbers = torch.tensor(list(found))
    matrix[numbers] = torch.from_numpy(np.stack(list(found.values()))).float()
    known[numbers] = True
    return Pretrained(matrix, known)


def settle_vectors(
    options: dict[str, Any],
    vectors: Any,
    vocabulary: Sequence[str],
    counts: Counter[str],
    source: str,
    *,
    further: Sequence[str] = (),
    unknown: bool = False,
) -> tuple[Pretrained, str]:
    """The vectors of a vocabulary, for a network whose vectors become as long as these.

    Args:
        options: the network's; changed in place.
        vectors, vocabulary, source, further, unknown: as in `pretrained_rows`.
        counts: how often each word occurs in training.

    Returns:
        The vectors, and one line that says how many of the words have one.

    Raises:
        UsageError: as `pretrained_rows`, or the options ask for another length.
    """
    rows = pretrained_rows(vectors, vocabulary, source, further=further, unknown=unknown)
    if (wanted := options.setdefault("embedding", rows.length)) != rows.length:
        raise UsageError(
            f"{source} has vectors of {rows.length} numbers, not model.options.embedding {wanted}; leave it out"
        )
    return rows, f"{source}: {coverage(rows, vocabulary, counts)}"


def further_words(vectors: Any, vocabulary: Sequence[str], tokenizer: str) -> list[str]:
    """The words of a file of vectors that a vocabulary lacks, as far as the tokenizer can give them.

    Args:
        vectors: gensim's KeyedVectors; the most frequent word comes first, as in all known files.
        vocabulary: the words of the training texts.
        tokenizer: a mode of `multicnn.text.tokenize`.

    Returns:
        Those among the 100,000 first.
    """
    known = set(vocabulary)
    frequent = vectors.index_to_key[:MOST_FURTHER]
    return [word for word in frequent if word not in known and tokenize(word, tokenizer) == [word]]


def coverage(rows: Pretrained, vocabulary: Sequence[str], counts: Counter[str]) -> str:
    """One line: how many of the words, and how much of the running text, have a vector.

    Args:
        rows: of the vocabulary.
        vocabulary: the words.
        counts: how often each word occurs in the texts.
    """
    known = rows.known[FIRST_WORD : FIRST_WORD + len(vocabulary)].tolist()
    covered = sum(counts[word] for word, has_one in zip(vocabulary, known, strict=True) if has_one)
    further = len(rows.known) - FIRST_WORD - len(vocabulary)
    return (
        f"{sum(known):,} of {len(vocabulary):,} words have a vector of {rows.length} numbers, "
        f"{covered / max(counts.total(), 1):.1%} of the running text"
        + (f"; {further:,} words that do not occur in it keep theirs" if further else "")
    )
