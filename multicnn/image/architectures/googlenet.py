"""GoogLeNet: several sizes of filters at every place."""

from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.dropout import Dropout
from multicnn.blocks.inception import Inception
from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.blocks.pooling_regions import AdaptivePool
from multicnn.image.architectures.inception_network import AuxiliaryHead, InceptionNetwork


class GoogLeNet(InceptionNetwork):
    """GoogLeNet (Inception-v1 with batch normalisation), for photographs of 224 x 224, 15 x 15 at least.

    Szegedy et al. 2014, "Going Deeper with Convolutions", table 1. The idea: nobody need choose a filter's size, for
    every place is seen at several sizes at once. 6,624,904 parameters with 1000 classes, 13,004,888 with the two
    auxiliary heads of training. Names as in torchvision, whose weights fit, with these heads and without, and which has
    3x3 in the place of the paper's 5x5.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the pooled features that is dropped in training.
        auxiliary: whether two heads halfway up help in training, each for 0.3 of the loss (section 5).
        auxiliary_dropout: the share of their hidden layer that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    auxiliary_heads: ClassVar[dict[str, str]] = {"inception4a": "aux1", "inception4d": "aux2"}
    auxiliary_share: ClassVar[float] = 0.3

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        dropout: float = 0.2,
        auxiliary: bool = True,
        auxiliary_dropout: float = 0.7,
    ) -> None:
        super().__init__()
        self.conv1 = InceptionUnit(channels, 64, 7, stride=2, padding=3)
        self.maxpool1 = CeilMaxPool(3, stride=2)
        self.conv2 = InceptionUnit(64, 64)
        self.conv3 = InceptionUnit(64, 192, 3)
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
        if auxiliary:
            self.aux1 = GoogLeNetAuxiliary(512, classes, auxiliary_dropout)
            self.aux2 = GoogLeNetAuxiliary(528, classes, auxiliary_dropout)
        self._add_head(1024, classes, dropout)


class GoogLeNetAuxiliary(AuxiliaryHead):
    """Means over a grid of 4 x 4, a pointwise convolution, a hidden layer: section 5.

    The paper's means are over windows of 5 x 5, which make the 14 x 14 places of a photograph into 4 x 4. Here, as in
    torchvision, it is 4 x 4 regions of any number of places, so that every size can be trained.

    Args:
        channels: the maps'.
        classes: how many there are.
        dropout: the share of the hidden layer that is dropped in training.
    """

    last: ClassVar[str] = "fc2"

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.grid = AdaptivePool(4, reduce="average")
        self.conv = InceptionUnit(channels, 128)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.dropout = Dropout(dropout)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps, [batch, channels, height, width], to logits [batch, classes]."""
        hidden = self.fc1(self.conv(self.grid(x)).flatten(1)).relu()
        logits: Tensor = self.fc2(self.dropout(hidden))
        return logits
