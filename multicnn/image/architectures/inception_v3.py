"""Inception-v3: large filters taken apart into small ones."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalAveragePool, MaxPool
from multicnn.image.architectures.inception_unit import Unit
from multicnn.image.architectures.inception_v3_modules import (
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)


class InceptionV3(Backbone):
    """Inception-v3, for photographs of 299 x 299, 75 x 75 at least.

    Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", table 1 and section 6. The idea:
    a 5x5 filter is two 3x3, a 7x7 is 1x7 and 7x1, and the saved work pays for more of them. 23,834,568 parameters with
    1000 classes, without the auxiliary head of the paper's training. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (299, 299)

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (299, 299), *, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(channels, 32, 3, stride=2, padding=0)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3, padding=0)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3)
        self.maxpool1 = MaxPool(3, stride=2)
        self.Conv2d_3b_1x1 = Unit(64, 80)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3, padding=0)
        self.maxpool2 = MaxPool(3, stride=2)
        self.Mixed_5b = InceptionA(192, pooled=32)
        self.Mixed_5c = InceptionA(256, pooled=64)
        self.Mixed_5d = InceptionA(288, pooled=64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, inner=128)
        self.Mixed_6c = InceptionC(768, inner=160)
        self.Mixed_6d = InceptionC(768, inner=160)
        self.Mixed_6e = InceptionC(768, inner=192)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.avgpool = GlobalAveragePool()
        self.dropout = Dropout(dropout)
        self.fc = nn.Linear(2048, classes)

    @property
    def features(self) -> nn.Module:
        """[batch, channels, height, width] to maps [batch, 2048, about height / 32 - 1, width / 32 - 1]."""
        return nn.Sequential(*list(self.children())[:-3])

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, self.dropout, self.fc)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.fc = nn.Linear(2048, classes)
