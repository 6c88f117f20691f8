"""Inception-ResNet-v2: Inception modules as corrections."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.inception_resnet import Block8, Block17, Block35, Mixed5b, ReductionB
from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.inception_v4 import ReductionA
from multicnn.blocks.pooling import MaxPool
from multicnn.image.architectures.inception_network import InceptionNetwork


class InceptionResNetV2(InceptionNetwork):
    """Inception-ResNet-v2, for photographs of 299 x 299, 75 x 75 at least.

    Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", figure 15.
    The idea: an Inception module adds a small correction to what it gets, so the same accuracy takes far fewer steps.
    55,843,464 parameters with 1000 classes. Names as in timm, whose weights fit; the stem is that of the authors'
    published network, Inception-v3's.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (299, 299)
    classifier: ClassVar[str] = "classif"

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (299, 299), *, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.conv2d_1a = InceptionUnit(channels, 32, 3, stride=2, padding="valid")
        self.conv2d_2a = InceptionUnit(32, 32, 3, padding="valid")
        self.conv2d_2b = InceptionUnit(32, 64, 3)
        self.maxpool_3a = MaxPool(3, stride=2)
        self.conv2d_3b = InceptionUnit(64, 80)
        self.conv2d_4a = InceptionUnit(80, 192, 3, padding="valid")
        self.maxpool_5a = MaxPool(3, stride=2)
        self.mixed_5b = Mixed5b(192)
        self.repeat = nn.Sequential(*(Block35(320, scale=0.17) for _ in range(10)))
        self.mixed_6a = ReductionA(320, 256, 256, 384, 384)
        self.repeat_1 = nn.Sequential(*(Block17(1088, scale=0.10) for _ in range(20)))
        self.mixed_7a = ReductionB(1088)
        self.repeat_2 = nn.Sequential(*(Block8(2080, scale=0.20) for _ in range(9)))
        self.block8 = Block8(2080, scale=1.0, rectify=False)
        self.conv2d_7b = InceptionUnit(2080, 1536)
        self._add_head(1536, classes, dropout)
