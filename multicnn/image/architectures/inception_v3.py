"""Inception-v3: large filters taken apart into small ones."""

from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, MaxPool
from multicnn.blocks.pooling_regions import AdaptivePool
from multicnn.image.architectures.inception_network import AuxiliaryHead, InceptionNetwork
from multicnn.image.architectures.inception_v3_modules import (
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)


class InceptionV3(InceptionNetwork):
    """Inception-v3, for photographs of 299 x 299, 75 x 75 at least.

    Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", table 1 and section 6. The idea:
    a 5x5 filter is two 3x3, a 7x7 is 1x7 and 7x1, and the saved work pays for more of them. 23,834,568 parameters with
    1000 classes, 27,161,264 with the auxiliary head of training. Names as in torchvision, whose weights fit, with this
    head and without.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the pooled features that is dropped in training.
        auxiliary: whether a head halfway up helps in training (section 4), for 0.4 of the loss, a share that the paper
            leaves open and the authors' published training has.
    """

    own_size: ClassVar[tuple[int, ...]] = (299, 299)
    auxiliary_heads: ClassVar[dict[str, str]] = {"Mixed_6e": "AuxLogits"}
    auxiliary_share: ClassVar[float] = 0.4

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (299, 299),
        *,
        dropout: float = 0.5,
        auxiliary: bool = True,
    ) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = InceptionUnit(channels, 32, 3, stride=2, padding="valid")
        self.Conv2d_2a_3x3 = InceptionUnit(32, 32, 3, padding="valid")
        self.Conv2d_2b_3x3 = InceptionUnit(32, 64, 3)
        self.maxpool1 = MaxPool(3, stride=2)
        self.Conv2d_3b_1x1 = InceptionUnit(64, 80)
        self.Conv2d_4a_3x3 = InceptionUnit(80, 192, 3, padding="valid")
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
        if auxiliary:
            self.AuxLogits = InceptionV3Auxiliary(768, classes)
        self._add_head(2048, classes, dropout)


class InceptionV3Auxiliary(AuxiliaryHead):
    """Means over windows, then convolutions until one place is left: figure 8.

    Windows of 5 x 5 make the 17 x 17 places of a photograph into 5 x 5, which the last convolution takes. Fewer places
    are cut into 5 x 5 regions instead, so that every size can be trained.

    Args:
        channels: the maps'.
        classes: how many there are.
    """

    last: ClassVar[str] = "fc"

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.windows = AveragePool(5, stride=3)
        self.regions = AdaptivePool(5, reduce="average")
        self.conv0 = InceptionUnit(channels, 128)
        self.conv1 = InceptionUnit(128, 768, 5, padding="valid")
        self.pool = GlobalAveragePool()
        self.fc = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps, [batch, channels, height, width], to logits [batch, classes]."""
        pooled = self.windows(x) if min(x.shape[2:]) >= 17 else self.regions(x)
        logits: Tensor = self.fc(self.pool(self.conv1(self.conv0(pooled))))
        return logits
