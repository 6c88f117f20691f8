"""A bag of n-grams: every word and every pair of neighbours weighs for or against each class, wherever it stands."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.text.hashing import MULTIPLIER, PRIME

PADDING = 0


class NgramBag(nn.Module):
    """A convolution over one-hot words with sum pooling, as look-ups: the weights of a text's n-grams, added up.

    A word has a row of its own. Longer n-grams are many, and share rows by chance: they are hashed (Joulin et al. 2017,
    "Bag of Tricks for Efficient Text Classification", section 2.2), from the words' numbers, inside the graph. The
    beginning and the end of a text are neighbours too. So is an unknown word, whose weights are those of
    rare ones.

    The weights are no parameters: they are computed at once (`multicnn.text.naive_bayes`) and stay.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        longest: how many words the longest n-grams have.
        buckets: how many rows the n-grams of two and more words share.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, classes: int, vocabulary_size: int, longest: int = 2, buckets: int = 2**18) -> None:
        super().__init__()
        if longest < 1 or buckets < 1:
            raise ValueError(f"n-grams have 1 word or more and 1 row or more, not {longest} and {buckets}")
        self.words, self.longest, self.buckets = vocabulary_size, longest, buckets
        rows = vocabulary_size + (buckets if longest > 1 else 0)
        self.register_buffer("weights", torch.zeros(rows, classes))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers, int32 or int64 [batch, tokens], padded behind with 0, to logits [batch, classes]."""
        return functional.embedding(self.rows(ids), self.weights).sum(1) + self.bias

    def rows(self, ids: Tensor) -> Tensor:
        """The row of each n-gram, int64 [batch, n-grams]; 0, whose weights are zero, where there is none."""
        ids = ids.long()
        return torch.cat([ids, *self._longer(ids)], dim=1)

    def _longer(self, ids: Tensor) -> Iterator[Tensor]:
        """The rows of the pairs, of the triples, ..."""
        framed = functional.pad(ids, (1, 1), value=PADDING)
        for length in range(2, self.longest + 1):
            places = framed.shape[1] - length + 1
            words = [framed[:, at : at + places] for at in range(length)]
            real = (words[0] != PADDING) | (words[-1] != PADDING)
            number = torch.zeros_like(words[0])
            for word in words:
                number = (number + word) * MULTIPLIER % PRIME
            for word in words[1:-1]:
                real = real & (word != PADDING)
            yield torch.where(real, self.words + number % self.buckets, PADDING)

    def extra_repr(self) -> str:
        rows, classes = self.weights.shape
        return f"longest={self.longest}, rows={rows}, classes={classes}"
