"""TextCNN-GRU: windows over words, read in their order by a GRU."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from multicnn.blocks.dropout import Dropout
from multicnn.text.architectures.embedding import WordVectors
from multicnn.text.architectures.recurrent_features import RecurrentFeatures
from multicnn.text.architectures.text_backbone import TextBackbone


class TextCNNGRU(TextBackbone):
    """The CNN-GRU, for sentences and short texts of any length.

    Wang, Jiang and Luo 2016, "Combination of Convolutional and Recurrent Neural Network for Sentiment Analysis of Short
    Texts". The idea: convolutions of two widths and a short pooling turn words into coarse phrases, and a
    gated recurrent unit keeps what is worth remembering of them. A window that reaches over the end sees zeros.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        vectors: how the word vectors are learned, as in `WordVectors`.
        embedding: length of a word's vector.
        windows: how many words each kind of filter sees.
        filters: how many there are of each kind.
        hidden: how many numbers the GRU's state has.
        pooling: how many neighbouring answers become one, their maximum; 1 for none.
        dropout: the share of the last state that is dropped in training.
        embedding_dropout: the share of the word vectors' values that is.
    """

    own_size: ClassVar[tuple[int, ...]] = (56,)  # MR's longest sentence
    features: RecurrentFeatures

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        vectors: str = "rand",
        *,
        embedding: int = 300,
        windows: Sequence[int] = (4, 5),
        filters: int = 200,
        hidden: int = 100,
        pooling: int = 2,
        dropout: float = 0.5,
        embedding_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = RecurrentFeatures(
            WordVectors(vocabulary_size, embedding, vectors),
            windows=windows,
            filters=filters,
            pooling=pooling,
            kind="gru",
            hidden=hidden,
            embedding_dropout=embedding_dropout,
        )
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(hidden, classes))
