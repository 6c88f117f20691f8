"""Inception-v4: Inception, tidied up."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.inception_v4 import (
    InceptionA,
    InceptionB,
    InceptionC,
    ReductionA,
    ReductionB,
    StemFork,
    StemReduction,
)
from multicnn.blocks.pooling import GlobalAveragePool


class InceptionV4(Backbone):
    """Inception-v4, for photographs of 299 x 299, 75 x 75 at least.

    Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", figures 3
    to 9. The idea: one module for each resolution, repeated, with the ways of halving it spelled out between them.
    42,679,816 parameters with 1000 classes. Names as in timm, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (299, 299)
    features: nn.Sequential

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (299, 299), *, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            InceptionUnit(channels, 32, 3, stride=2, padding="valid"),
            InceptionUnit(32, 32, 3, padding="valid"),
            InceptionUnit(32, 64, 3),
            StemReduction(64, 96, pool_first=True),
            StemFork(160),
            StemReduction(192, 192, pool_first=False),
            *(InceptionA(384) for _ in range(4)),
            ReductionA(384, 192, 224, 256, 384),
            *(InceptionB(1024) for _ in range(7)),
            ReductionB(1024),
            *(InceptionC(1536) for _ in range(3)),
        )
        self.pool = GlobalAveragePool()
        self.dropout = Dropout(dropout)
        self.last_linear = nn.Linear(1536, classes)

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.pool, self.dropout, self.last_linear)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.last_linear = nn.Linear(1536, classes)
