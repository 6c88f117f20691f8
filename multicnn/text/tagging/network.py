"""TagCNN: tags a word by the words around it and their characters."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalMaxPool
from multicnn.text.architectures.embedding import PADDING, WordVectors


class TagCNN(Backbone):
    """A window network over word and character vectors, for named entities and other spans of words.

    Collobert et al. 2011, "Natural Language Processing (Almost) from Scratch", section 3.2.1: one layer sees all word
    vectors of the window. Ma and Hovy 2016, "End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF", section
    2.1: what a word is spelt like is found by a convolution over its characters, with the maximum over the word.

    Args:
        classes: how many tags there are.
        words: how many numbers of words there are, padding (0) and the unknown word (1) among them.
        characters: likewise.
        window: how many words it sees.
        vectors: how word vectors are learned, a mode of `WordVectors`.
        embedding: length of a word's vector.
        character_embedding: of a character's.
        character_filters: how many of three characters there are.
        hidden: width of the layer that sees the window.
        dropout: the share of the vectors' values and of the hidden layer's that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (5,)
    features: "WindowFeatures"
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        words: int,
        characters: int,
        window: int,
        vectors: str = "rand",
        *,
        embedding: int = 100,
        character_embedding: int = 30,
        character_filters: int = 60,
        hidden: int = 300,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        spelling = Spelling(characters, character_embedding, character_filters)
        self.features = WindowFeatures(WordVectors(words, embedding, vectors), spelling, window, hidden, dropout)
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(hidden, classes))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` tags in place of the old one."""
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        self.head[-1] = nn.Linear(last.in_features, classes, device=last.weight.device, dtype=last.weight.dtype)


class WindowFeatures(nn.Module):
    """A window of words to one vector; the arguments are TagCNN's."""

    def __init__(self, embedding: WordVectors, spelling: "Spelling", window: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.embedding = embedding
        self.spelling = spelling
        self.dropout = Dropout(dropout)
        self.convolution = nn.Conv1d(embedding.channels + spelling.width, hidden, window)

    def forward(self, x: Tensor) -> Tensor:
        """Reads a batch of windows.

        Args:
            x: int32 [batch, window, 1 + characters]: words, then their characters.

        Returns:
            [batch, hidden].
        """
        seen = torch.cat([self.embedding(x[:, :, 0]), self.spelling(x[:, :, 1:])], dim=1)
        found: Tensor = self.convolution(self.dropout(seen)).flatten(1).relu()
        return found


class Spelling(nn.Module):
    """Characters to a vector a word: each filter's strongest answer; padding has none."""

    def __init__(self, characters: int, embedding: int, filters: int) -> None:
        super().__init__()
        self.embedding = WordVectors(characters, embedding)
        self.convolution = nn.Conv1d(embedding, filters, 3, padding=1)
        self.pool = GlobalMaxPool()
        self.width = filters

    def forward(self, x: Tensor) -> Tensor:
        """int32 [batch, words, characters] to [batch, filters, words]."""
        each = x.flatten(0, 1)
        found: Tensor = self.pool(self.convolution(self.embedding(each)), each != PADDING)
        return found.reshape(*x.shape[:2], -1).transpose(1, 2)
