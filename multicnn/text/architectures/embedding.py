"""Word vectors: from the numbers of words to what a convolution slides over."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.errors import did_you_mean

PADDING = 0
MODES = ("rand", "static", "nonstatic", "multichannel")
# The spread of word2vec's vectors; torch's own is seven times as large.
SPREAD = 0.25


class WordVectors(nn.Module):
    """Looks up a vector for each word; the vectors are learned, kept as they were read, or both.

    Kim 2014, "Convolutional Neural Networks for Sentence Classification", section 3.3. What is kept is a buffer: no
    optimiser sees it, and it is saved and exported like a weight. The vector of the padding is zero and stays it.

    Args:
        vocabulary_size: how many numbers there are, padding (0) and the unknown word (1) among them.
        length: of a vector.
        mode: `rand` and `nonstatic` learn the vectors (they differ in where these come from), `static` keeps them,
            `multichannel` does both with two copies, which a filter sees as it sees the colours of a picture.
    """

    weight: nn.Parameter | None
    static: Tensor | None

    def __init__(self, vocabulary_size: int, length: int, mode: str = "rand") -> None:
        super().__init__()
        if mode not in MODES:
            raise ValueError(f"vectors are one of {', '.join(MODES)}, not {mode}{did_you_mean(mode, MODES)}")
        if vocabulary_size < 2 or length < 1:
            raise ValueError(f"{vocabulary_size} vectors of {length} numbers are none; the least are 2 of 1")
        start = torch.empty(vocabulary_size, length).uniform_(-SPREAD, SPREAD)
        start[PADDING] = 0
        self.register_parameter("weight", None if mode == "static" else nn.Parameter(start))
        self.register_buffer("static", start.clone() if mode in ("static", "multichannel") else None)
        self.words = vocabulary_size
        self.length = length
        self.channels = 2 * length if mode == "multichannel" else length

    def forward(self, ids: Tensor) -> Tensor:
        """Looks up.

        Args:
            ids: int32 or int64 [batch, tokens].

        Returns:
            [batch, channels, tokens]; of two copies, the two values of one number stand side by side, the kept one
            first.
        """
        vectors = [functional.embedding(ids, table, padding_idx=PADDING) for table in self._tables()]
        x = vectors[0] if len(vectors) == 1 else torch.stack(vectors, dim=-1).flatten(2)
        return x.transpose(1, 2)

    @torch.no_grad()
    def set_vectors(self, matrix: Tensor, known: Tensor) -> None:
        """Puts pretrained vectors in; each word without one gets a random vector of the same variance (section 4.3).

        Args:
            matrix: a row for each word, [vocabulary_size, length]; those of unknown words do not count.
            known: which words have a vector, [vocabulary_size].

        Raises:
            ValueError: another number of rows or columns, or no word is known.
        """
        tables = self._tables()
        wanted = tables[0]
        if matrix.shape != wanted.shape or known.shape != wanted.shape[:1]:
            rows, length = wanted.shape
            raise ValueError(
                f"{rows:,} vectors of {length} numbers are needed, not {' x '.join(map(str, matrix.shape))}"
            )
        if not known.any():
            raise ValueError("none of the words has a vector")
        bound = math.sqrt(3 * matrix[known].var(correction=0).item())  # U(-a, a) has the variance a^2 / 3
        filled = torch.where(known[:, None], matrix, torch.empty_like(matrix).uniform_(-bound, bound))
        filled[PADDING] = 0
        for table in tables:
            table.copy_(filled)

    def _tables(self) -> list[Tensor]:
        """The kept vectors and the learned ones, whichever there are."""
        return [table for table in (self.static, self.weight) if table is not None]

    def extra_repr(self) -> str:
        kept = "" if self.static is None else ", kept" if self.weight is None else ", kept and learned"
        return f"length={self.length}{kept}"
