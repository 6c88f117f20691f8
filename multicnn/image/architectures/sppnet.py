"""SPP-net: one network for pictures of any size."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import LocalResponseNorm
from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_regions import SpatialPyramidPool
from multicnn.image.architectures.hidden import hidden_layer

PYRAMID = (6, 3, 2, 1)  # 36 + 9 + 4 + 1 = 50 regions


class SPPNet(Backbone):
    """SPP-net on ZF-5, for photographs of any size from 21 x 21 on; 224 x 224 in the paper's training.

    He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition", table 1 and section
    3.1. The idea: only the fully connected layers need an input of one size, so a pyramid of grids in front of them
    makes every size into one. 77,037,672 parameters with 1000 classes.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; the weights are the same for all.
        hidden: the neurons of each of the two fully connected layers.
        dropout: the share of these neurons that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        self.features = nn.Sequential(
            OrderedDict(
                conv1=nn.Sequential(Convolution(channels, 96, 7, stride=2, padding=1), nn.ReLU(inplace=True)),
                pool1=nn.Sequential(LocalResponseNorm(), MaxPool(3, stride=2, padding=1)),
                conv2=nn.Sequential(Convolution(96, 256, 5, stride=2), nn.ReLU(inplace=True)),
                pool2=nn.Sequential(LocalResponseNorm(), MaxPool(3, stride=2, padding=1)),
                conv3=nn.Sequential(Convolution(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
                conv4=nn.Sequential(Convolution(384, 384, 3, padding=1), nn.ReLU(inplace=True)),
                conv5=nn.Sequential(Convolution(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
            )
        )
        pyramid = SpatialPyramidPool(PYRAMID)
        self.head = nn.Sequential(
            OrderedDict(
                pyramid=pyramid,
                fc6=nn.Sequential(hidden_layer(256 * pyramid.regions, hidden), nn.ReLU(inplace=True), Dropout(dropout)),
                fc7=nn.Sequential(hidden_layer(hidden, hidden), nn.ReLU(inplace=True), Dropout(dropout)),
                fc8=nn.Linear(hidden, classes),
            )
        )

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head.fc8 = nn.Linear(self.hidden, classes)
