"""TextCNN: one layer of convolution over word vectors, and each filter's strongest answer."""

import re
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalMaxPool, KMaxPool

PADDING = 0


class TextCNN(Backbone):
    """Kim's sentence classifier; with the vectors that it starts from here, his CNN-rand.

    Kim 2014, "Convolutional Neural Networks for Sentence Classification", section 2. A filter is a phrase detector: it
    answers to three, four or five words in a row, wherever they stand.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        embedding: length of a word's vector.
        windows: how many words each kind of filter sees.
        filters: how many there are of each kind.
        pooling: `max` keeps each filter's strongest answer, `kmaxN` the N strongest, in their order.
        dropout: the share of the pooled answers that is dropped in training.
        embedding_dropout: the share of the word vectors' values that is.
    """

    own_size: ClassVar[tuple[int, ...]] = (56,)  # MR's longest sentence
    features: "TextFeatures"
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        *,
        embedding: int = 300,
        windows: Sequence[int] = (3, 4, 5),
        filters: int = 100,
        pooling: str = "max",
        dropout: float = 0.5,
        embedding_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.features = TextFeatures(
            vocabulary_size,
            embedding=embedding,
            windows=windows,
            filters=filters,
            pooling=pooling,
            embedding_dropout=embedding_dropout,
        )
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(self.features.width, classes))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""
        weight = self.head[1].weight
        self.head[1] = nn.Linear(self.features.width, classes, device=weight.device, dtype=weight.dtype)


class TextFeatures(nn.Module):
    """Word vectors, windows and pooling: ids to one vector per text. The arguments are TextCNN's.

    A window counts when it begins in real text; behind the last word it sees zeros, as in Kim's zero padding. So a text
    shorter than a window has an answer too, and no answer depends on how far a text's batch is padded.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        embedding: int,
        windows: Sequence[int],
        filters: int,
        pooling: str,
        embedding_dropout: float,
    ) -> None:
        super().__init__()
        if not windows or min(windows) < 1:
            raise ValueError(f"windows are 1 word or more, not {list(windows)}")
        kept = _kept(pooling)
        self.windows = tuple(windows)
        self.embedding = nn.Embedding(vocabulary_size, embedding, padding_idx=PADDING)
        with torch.no_grad():  # the spread of word2vec's vectors (section 3.2); torch's own is four times as large
            self.embedding.weight[1:].uniform_(-0.25, 0.25)
        self.dropout = Dropout(embedding_dropout)
        self.convolutions = nn.ModuleList(Convolution(embedding, filters, window, dims=1) for window in windows)
        self.pool = KMaxPool(kept) if kept else GlobalMaxPool()
        self.width = len(windows) * filters * (kept or 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Reads a batch of texts.

        Args:
            ids: int32 or int64 [batch, tokens], padded behind with 0.

        Returns:
            [batch, width]: the first window's answers, then the second's, and so on.
        """
        real = ids != PADDING
        x = self.dropout(self.embedding(ids)).transpose(1, 2)
        answers = []
        for window, convolution in zip(self.windows, self.convolutions, strict=True):
            answer = convolution(functional.pad(x, (0, window - 1)))
            answers.append(self.pool(answer, real).flatten(1))
        # Rectified last: it gives the same maxima, and k-max pooling meets no ties of zeros, which engines order
        # differently.
        return torch.cat(answers, dim=1).relu()


def _kept(pooling: str) -> int | None:
    """The N of `kmaxN`; None for `max`.

    Raises:
        ValueError: neither.
    """
    match = re.fullmatch(r"kmax([1-9]\d*)", pooling)
    if match:
        return int(match[1])
    if pooling != "max":
        raise ValueError(f"pooling is max, or kmax3 for the 3 strongest, not {pooling}")
    return None
