"""A network for texts from a pattern: word vectors, then layers along time."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.dropout import Dropout
from multicnn.language.chain import Link, chain
from multicnn.language.network import reset_last, split
from multicnn.language.parse import parse
from multicnn.language.place import Place
from multicnn.language.timed import PROBED, TimedChain
from multicnn.text.architectures.embedding import PADDING, WordVectors
from multicnn.text.architectures.text_backbone import TextBackbone


class TextPattern(TextBackbone):
    """What a pattern describes, over word vectors.

    Args:
        pattern: such as `conv3-100 relu gmp drop0.5 fc`; docs/language.md. Windows slide over words.
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        vectors: how the word vectors are learned, as in `WordVectors`.
        embedding: length of a word's vector.
        embedding_dropout: the share of the word vectors' values that is dropped in training.
        variables: what names in the pattern stand for.

    Raises:
        PatternError: the pattern cannot be read, or a layer does not fit where it stands.
    """

    own_size: ClassVar[tuple[int, ...]] = (56,)
    features: "PatternFeatures"

    def __init__(
        self,
        pattern: str,
        classes: int,
        vocabulary_size: int,
        vectors: str = "rand",
        *,
        embedding: int = 300,
        embedding_dropout: float = 0.0,
        variables: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        words = WordVectors(vocabulary_size, embedding, vectors)
        units = parse(pattern, {**(variables or {}), "classes": classes})
        links = chain(units, Place(words.channels, (PROBED,), (True,), open=True, classes=classes))
        features, head = split(links)
        timed = [link for link in links if link.open]  # the last of them gives what has a fixed length
        self.features = PatternFeatures(words, Dropout(embedding_dropout), timed, features[len(timed) :])
        self.head = nn.Sequential(OrderedDict((link.name, link.module) for link in head if not link.open))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""
        reset_last(self.head, classes)


class PatternFeatures(nn.Module):
    """Word vectors and layers along time, and those behind a k-max pooling, whose time is fixed.

    Args:
        embedding: the word vectors.
        dropout: on their values.
        timed: layers along a time of no fixed length.
        fixed: layers behind them.
    """

    def __init__(self, embedding: WordVectors, dropout: Dropout, timed: Sequence[Link], fixed: Sequence[Link]) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = dropout
        self.timed = TimedChain(timed, embedding.channels)
        self.fixed = nn.Sequential(OrderedDict((link.name, link.module) for link in fixed))

    def forward(self, ids: Tensor) -> Tensor:
        """Reads a batch of texts.

        Args:
            ids: int32 or int64 [batch, tokens], padded behind with 0.

        Returns:
            [batch, features], or [batch, channels, k] behind a k-max pooling.
        """
        x = self.dropout(self.embedding(ids))
        return self.fixed(self.timed(x, ids != PADDING))  # type: ignore[no-any-return]
