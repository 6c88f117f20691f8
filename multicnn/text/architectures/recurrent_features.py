"""Phrases in their order: what TextCNN-LSTM and TextCNN-GRU share."""

from collections.abc import Sequence

from torch import Tensor, nn

from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling_sequence import SequenceMaxPool
from multicnn.blocks.recurrent import Recurrent
from multicnn.text.architectures.embedding import PADDING, WordVectors
from multicnn.text.architectures.phrases import PhraseFilters


class RecurrentFeatures(nn.Module):
    """Word vectors, windows, and a recurrent layer that reads the windows' answers: ids to its last state.

    Args:
        embedding: the word vectors.
        windows: how many words each kind of filter sees; the answers at a word are read together.
        filters: how many there are of each kind.
        pooling: how many neighbouring answers become one, their maximum; 1 for none.
        kind: of the recurrent layer, lstm or gru.
        hidden: how many numbers its state has.
        embedding_dropout: the share of the word vectors' values that is dropped in training.
    """

    def __init__(
        self,
        embedding: WordVectors,
        *,
        windows: Sequence[int],
        filters: int,
        pooling: int,
        kind: str,
        hidden: int,
        embedding_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = Dropout(embedding_dropout)
        self.convolutions = PhraseFilters(embedding.channels, windows, filters)
        self.pool = SequenceMaxPool(pooling, pooling)
        self.recurrent = Recurrent(self.convolutions.width, hidden, kind)

    def forward(self, ids: Tensor) -> Tensor:
        """int32 or int64 [batch, tokens], padded behind with 0, to [batch, hidden]."""
        mask = ids != PADDING
        answers = self.convolutions(self.dropout(self.embedding(ids))).relu()
        return self.recurrent(*self.pool(answers, mask))  # type: ignore[no-any-return]
