"""Network in Network: a small network in the place of each filter."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.mlpconv import MlpConvolution
from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, MaxPool


class NiN(Backbone):
    """Network in Network, for pictures of 32 x 32.

    Lin et al. 2013, "Network In Network", figure 2. The idea: a filter that is itself a small network sees more than a
    linear one, and then each class can have a map of its own, whose mean is its score, instead of fully connected
    layers. 966,986 parameters with 10 classes.

    Differs from 2013: there is no rectifier behind the classes' maps, which would silence classes for good.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share that is dropped in training behind the first two poolings.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (32, 32), *, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                mlpconv1=MlpConvolution(channels, (192, 160, 96), 5, padding=2),
                pool1=nn.Sequential(MaxPool(3, stride=2, padding=1), Dropout(dropout)),
                mlpconv2=MlpConvolution(96, (192, 192, 192), 5, padding=2),
                pool2=nn.Sequential(AveragePool(3, stride=2, padding=1), Dropout(dropout)),
                mlpconv3=MlpConvolution(192, (192, 192), 3, padding=1),
            )
        )
        self.head = nn.Sequential(OrderedDict(maps=Convolution(192, classes, 1), pool=GlobalAveragePool()))

    def reset_head(self, classes: int) -> None:
        """Puts fresh maps for the classes in place of the old ones."""
        self.head.maps = Convolution(192, classes, 1)
