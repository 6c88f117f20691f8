"""ZFNet: AlexNet, after somebody had looked at what it sees."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import LocalResponseNorm
from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_regions import AdaptivePool
from multicnn.image.architectures.hidden import hidden_layer


class ZFNet(Backbone):
    """ZFNet, for photographs of 224 x 224, 53 x 53 at least.

    Zeiler and Fergus 2013, "Visualizing and Understanding Convolutional Networks", figure 3. The idea: pictures of
    AlexNet's filters showed dead ones in layer 1 and aliasing in layer 2, so 7x7 with a stride of 2 takes the place of
    11x11 with 4. 62,357,608 parameters with 1000 classes.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; what is left of them is averaged into the paper's 6 x 6.
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
                pool1=nn.Sequential(MaxPool(3, stride=2, padding=1), LocalResponseNorm()),
                conv2=nn.Sequential(Convolution(96, 256, 5, stride=2), nn.ReLU(inplace=True)),
                pool2=nn.Sequential(MaxPool(3, stride=2, padding=1), LocalResponseNorm()),
                conv3=nn.Sequential(Convolution(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
                conv4=nn.Sequential(Convolution(384, 384, 3, padding=1), nn.ReLU(inplace=True)),
                conv5=nn.Sequential(Convolution(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
                pool5=MaxPool(3, stride=2),
            )
        )
        self.head = nn.Sequential(
            OrderedDict(
                grid=nn.Sequential(AdaptivePool(6, reduce="average"), nn.Flatten()),
                fc6=nn.Sequential(hidden_layer(256 * 6 * 6, hidden), nn.ReLU(inplace=True), Dropout(dropout)),
                fc7=nn.Sequential(hidden_layer(hidden, hidden), nn.ReLU(inplace=True), Dropout(dropout)),
                fc8=nn.Linear(hidden, classes),
            )
        )

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head.fc8 = nn.Linear(self.hidden, classes)
