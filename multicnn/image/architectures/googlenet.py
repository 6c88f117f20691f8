"""GoogLeNet: several sizes of filters at every place."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.inception import Inception
from multicnn.blocks.pooling import GlobalAveragePool
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.image.architectures.inception_unit import Unit


class GoogLeNet(Backbone):
    """GoogLeNet (Inception-v1 with batch normalisation), for photographs of 224 x 224, 15 x 15 at least.

    Szegedy et al. 2014, "Going Deeper with Convolutions", table 1. The idea: nobody need choose a filter's size, for
    every place is seen at several sizes at once. 6,624,904 parameters with 1000 classes, without the auxiliary heads of
    the paper's training. Names as in torchvision, whose weights fit, and which has 3x3 in the place of the paper's 5x5.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (224, 224), *, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.conv1 = Unit(channels, 64, 7, stride=2, padding=3)
        self.maxpool1 = CeilMaxPool(3, stride=2)
        self.conv2 = Unit(64, 64)
        self.conv3 = Unit(64, 192, 3)
        self.maxpool2 = CeilMaxPool(3, stride=2)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32, widest=3)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64, widest=3)
        self.maxpool3 = CeilMaxPool(3, stride=2)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64, widest=3)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64, widest=3)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64, widest=3)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64, widest=3)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128, widest=3)
        self.maxpool4 = CeilMaxPool(2, stride=2)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128, widest=3)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128, widest=3)
        self.avgpool = GlobalAveragePool()
        self.dropout = Dropout(dropout)
        self.fc = nn.Linear(1024, classes)

    @property
    def features(self) -> nn.Module:
        """[batch, channels, height, width] to maps [batch, 1024, height / 32, width / 32]."""
        return nn.Sequential(*list(self.children())[:-3])

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, self.dropout, self.fc)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.fc = nn.Linear(1024, classes)
