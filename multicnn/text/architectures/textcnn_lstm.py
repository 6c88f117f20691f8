"""TextCNN-LSTM: windows over words, read in their order by an LSTM."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from multicnn.blocks.dropout import Dropout
from multicnn.text.architectures.embedding import WordVectors
from multicnn.text.architectures.recurrent_features import RecurrentFeatures
from multicnn.text.architectures.text_backbone import TextBackbone


class TextCNNLSTM(TextBackbone):
    """C-LSTM, for sentences and short texts of any length.

    Zhou et al. 2015, "A C-LSTM Neural Network for Text Classification", sections 3.1 and 3.2. The idea: convolutions
    turn words into phrases, and an LSTM reads the phrases in their order, which pooling over the text would lose.
    Here a window ends at every word, and before the first one it sees zeros; in the paper it begins with the text.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        vectors: how the word vectors are learned, as in `WordVectors`.
        embedding: length of a word's vector.
        windows: how many words each kind of filter sees; the paper has one kind.
        filters: how many there are of each kind.
        hidden: how many numbers the LSTM's state has.
        pooling: how many neighbouring answers become one, their maximum; 1 for none.
        dropout: the share of the last state that is dropped in training.
        embedding_dropout: the share of the word vectors' values that is.
    """

    own_size: ClassVar[tuple[int, ...]] = (56,)  # the longest sentence of the Stanford Sentiment Treebank
    features: RecurrentFeatures

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        vectors: str = "rand",
        *,
        embedding: int = 300,
        windows: Sequence[int] = (3,),
        filters: int = 150,
        hidden: int = 150,
        pooling: int = 1,
        dropout: float = 0.5,
        embedding_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = RecurrentFeatures(
            WordVectors(vocabulary_size, embedding, vectors),
            windows=windows,
            filters=filters,
            pooling=pooling,
            kind="lstm",
            hidden=hidden,
            embedding_dropout=embedding_dropout,
        )
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(hidden, classes))
