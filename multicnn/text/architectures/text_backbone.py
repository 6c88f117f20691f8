"""What every architecture for texts offers: features, a head, and how it wants its texts to be read."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone


class TextBackbone(Backbone):
    """A network over token numbers, [batch, tokens], padded behind with 0.

    Attributes:
        tokenizer: what a token is, a mode of `multicnn.text.tokenize`.
        word_vectors: whether it looks up word vectors, as `features.embedding`; the constructor then takes their mode
            as `vectors`.
        fixed_length: whether every text is cut and padded to one length; the constructor then takes it as `length`.
        own_vocabulary: how many numbers there are in its paper, where they are an alphabet's.
    """

    tokenizer: ClassVar[str] = "unicode"
    word_vectors: ClassVar[bool] = True
    fixed_length: ClassVar[bool] = False
    own_vocabulary: ClassVar[int | None] = None
    head: nn.Sequential

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        self.head[-1] = nn.Linear(last.in_features, classes, device=last.weight.device, dtype=last.weight.dtype)
