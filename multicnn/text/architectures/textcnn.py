"""TextCNN: one layer of convolution over word vectors, and each filter's strongest answer."""

import re
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalAveragePool, GlobalMaxPool, KMaxPool
from multicnn.blocks.pooling_attention import AttentionPool
from multicnn.blocks.pooling_regions import SequenceRegionPool
from multicnn.text.architectures.embedding import PADDING, WordVectors
from multicnn.text.architectures.folded import FoldedTextCNN, table_bytes
from multicnn.text.architectures.phrases import PhraseFilters
from multicnn.text.architectures.text_backbone import TextBackbone

# A folded table may have so many bytes: 83,000 words, for 300 filters over up to 5 words.
MOST_BYTES = 250_000_000


class TextCNN(TextBackbone):
    """Kim's sentence classifier, for sentences and short texts of any length.

    Kim 2014, "Convolutional Neural Networks for Sentence Classification", section 2. The idea: a filter
    detects a phrase, three, four or five words in a row, wherever it stands, and its strongest answer counts.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        vectors: how the word vectors are learned, as in `WordVectors`: `rand` is Kim's CNN-rand, and so on.
        embedding: length of a word's vector.
        windows: how many words each kind of filter sees.
        filters: how many there are of each kind.
        pooling: what stays of each filter's answers: `max` the strongest, `kmaxN` the N strongest in their order,
            `regionsN` the strongest in each of N parts of the text, `average` the mean, `attention` a learned mean.
        dropout: the share of the pooled answers that is dropped in training.
        embedding_dropout: the share of the word vectors' values that is.
        filter_spread: filters start within this of 0, biases and the last layer at 0; 0.01 in the author's code. 0: as
            layers start otherwise.
    """

    own_size: ClassVar[tuple[int, ...]] = (56,)  # MR's longest sentence
    features: "TextFeatures"

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        vectors: str = "rand",
        *,
        embedding: int = 300,
        windows: Sequence[int] = (3, 4, 5),
        filters: int = 100,
        pooling: str = "max",
        dropout: float = 0.5,
        embedding_dropout: float = 0.0,
        filter_spread: float = 0.0,
    ) -> None:
        super().__init__()
        self.features = TextFeatures(
            WordVectors(vocabulary_size, embedding, vectors),
            windows=windows,
            filters=filters,
            pooling=pooling,
            embedding_dropout=embedding_dropout,
        )
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(self.features.width, classes))
        self.foldable = pooling == "max"
        if filter_spread < 0:
            raise ValueError(f"filters start within 0 or more of 0, not {filter_spread}")
        if filter_spread:
            self._start_near_zero(filter_spread)

    @torch.no_grad()
    def _start_near_zero(self, spread: float) -> None:
        for weights in [*self.features.convolutions.parameters(), *self.head.parameters()]:
            weights.zero_()
        for convolution in self.features.convolutions.children():
            convolution.get_parameter("weight").uniform_(-spread, spread)

    def folded(self, *, always: bool = False) -> tuple[nn.Module, str] | None:
        """The network as look-ups and additions, where it pools maxima and its table is of a bearable size.

        Args:
            always: however large the table.
        """
        vectors, filters = self.features.embedding, self.features.convolutions
        if not self.foldable or (table_bytes(vectors, filters) > MOST_BYTES and not always):
            return None
        return FoldedTextCNN(vectors, filters, self.head).eval(), "folded"


class TextFeatures(nn.Module):
    """Word vectors, windows and pooling: ids to one vector per text. The other arguments are TextCNN's."""

    def __init__(
        self,
        embedding: WordVectors,
        *,
        windows: Sequence[int],
        filters: int,
        pooling: str,
        embedding_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = Dropout(embedding_dropout)
        self.convolutions = PhraseFilters(embedding.channels, windows, filters)
        self.pool, kept = _pool(pooling, self.convolutions.width)
        # Rectified last, maxima are the same, and k-max pooling meets no ties of zeros, which engines order in
        # their own ways. A mean is one of rectified answers.
        self.rectified_last = not isinstance(self.pool, GlobalAveragePool | AttentionPool)
        self.width = self.convolutions.width * kept

    def forward(self, ids: Tensor) -> Tensor:
        """Reads a batch of texts.

        Args:
            ids: int32 or int64 [batch, tokens], padded behind with 0.

        Returns:
            [batch, width]: the first window's answers, then the second's, and so on.
        """
        answers = self.convolutions(self.dropout(self.embedding(ids)))
        if self.rectified_last:
            return self.pool(answers, ids != PADDING).flatten(1).relu()  # type: ignore[no-any-return]
        return self.pool(answers.relu(), ids != PADDING)  # type: ignore[no-any-return]


def _pool(pooling: str, channels: int) -> tuple[nn.Module, int]:
    """The pooling of that name, and how many values it keeps of each channel.

    Raises:
        ValueError: there is none of that name.
    """
    several = re.fullmatch(r"(kmax|regions)([1-9]\d*)", pooling)
    if several:
        count = int(several[2])
        return (KMaxPool(count) if several[1] == "kmax" else SequenceRegionPool(count)), count
    if pooling == "attention":
        return AttentionPool(channels), 1
    if pooling not in ("max", "average"):
        names = "max, average, attention, kmax3 for the 3 strongest, or regions3 for the strongest of 3 parts"
        raise ValueError(f"pooling is {names}, not {pooling}")
    return (GlobalMaxPool() if pooling == "max" else GlobalAveragePool()), 1
