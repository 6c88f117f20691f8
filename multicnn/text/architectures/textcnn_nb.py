"""TextCNN-NB: TextCNN, and beside it a bag of n-grams with naive-Bayes weights."""

from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor, nn

from multicnn.blocks.backbone import Criterion
from multicnn.text.architectures.ngrams import NgramBag
from multicnn.text.architectures.textcnn import TextCNN


class TextCNNNB(TextCNN):
    """Two classifiers that err differently, and the mean of their logits; for texts of any length.

    Kim 2014 and Wang and Manning 2012. The idea: TextCNN generalises over words with similar vectors but sees each
    phrase few times; weighted n-grams generalise over nothing but know from counts, which need no training, how much
    each word and pair of words speaks for a class. Each learns for itself, for beside a classifier that knows its
    training texts by heart the other would have nothing left to learn.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        vectors: how the word vectors are learned, as in `WordVectors`.
        ngrams: how many words the longest n-grams have.
        buckets: how many rows the n-grams of two and more words share.
        embedding: length of a word's vector; 300 numbers, TextCNN's, gained nothing beside the n-grams.
        windows, filters, pooling, dropout, embedding_dropout: TextCNN's.
    """

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        vectors: str = "rand",
        *,
        ngrams: int = 2,
        buckets: int = 2**18,
        embedding: int = 100,
        windows: Sequence[int] = (3, 4, 5),
        filters: int = 100,
        pooling: str = "max",
        dropout: float = 0.5,
        embedding_dropout: float = 0.0,
    ) -> None:
        super().__init__(
            classes,
            vocabulary_size,
            vectors,
            embedding=embedding,
            windows=windows,
            filters=filters,
            pooling=pooling,
            dropout=dropout,
            embedding_dropout=embedding_dropout,
        )
        self.bag = NgramBag(classes, vocabulary_size, ngrams, buckets)

    def forward(self, x: Tensor) -> Tensor:
        """Token numbers, int32 or int64 [batch, tokens], padded behind with 0, to logits [batch, classes]."""
        return mean(super().forward(x), self.bag(x))

    def training_loss(self, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        """TextCNN learns by its own loss, also where texts are mixed; the bag has learned already."""
        if self.mixup:
            logits, loss = super().training_loss(x, truth, criterion)
        else:
            logits = super().forward(x)
            loss = criterion(logits, truth)
        return mean(logits, self.bag(x)), loss

    def fit_at_once(self, examples: Iterable[np.ndarray], truth: np.ndarray, weights: np.ndarray | None) -> None:
        """Counts n-grams and weighs them."""
        from multicnn.text.naive_bayes import fit_bag

        fit_bag(self.bag, examples, truth, weights)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer and an empty bag for `classes` classes in place of the old ones."""
        super().reset_head(classes)
        self.bag = NgramBag(classes, self.bag.words, self.bag.longest, self.bag.buckets).to(self.bag.weights.device)

    def folded(self, *, always: bool = False) -> tuple[nn.Module, str] | None:
        """TextCNN as look-ups and additions, as the bag is already."""
        folded = super().folded(always=always)
        return (Beside(folded[0], self.bag), folded[1]) if folded else None


class Beside(nn.Module):
    """A network and a bag of n-grams, for prediction.

    Args:
        network: token numbers to logits, [batch, classes].
        bag: the same.
    """

    def __init__(self, network: nn.Module, bag: NgramBag) -> None:
        super().__init__()
        self.network, self.bag = network, bag

    @property
    def head(self) -> nn.Module:
        """That of the network: the bag decides at once."""
        return self.network.get_submodule("head")

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers, int32 [batch, tokens], padded behind with 0, to logits [batch, classes]."""
        return mean(self.network(ids), self.bag(ids))


def mean(ours: Tensor, theirs: Tensor) -> Tensor:
    """Of two classifiers' logits, [batch, classes]."""
    return (ours + theirs) / 2
