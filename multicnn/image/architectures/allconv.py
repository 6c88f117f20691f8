"""All-CNN: what remains when everything but convolutions is left out."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalAveragePool


def layer(channels_in: int, channels_out: int, kernel: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    """A convolution and a rectifier."""
    conv = Convolution(channels_in, channels_out, kernel, stride=stride, padding=padding)
    return nn.Sequential(conv, nn.ReLU(inplace=True))


class AllConv(Backbone):
    """All-CNN-C, for pictures of 32 x 32, 9 x 9 at least.

    Springenberg et al. 2014, "Striving for Simplicity: The All Convolutional Net", table 2 (All-CNN-C). The idea: a
    convolution with a stride of 2 does what pooling does, and learns how. 1,369,738 parameters with 10 classes.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        input_dropout: the share of the input's values that is dropped in training.
        dropout: the share that is dropped where the paper's other networks would pool.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (32, 32),
        *,
        input_dropout: float = 0.2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                input=Dropout(input_dropout),
                conv1=layer(channels, 96, 3, padding=1),
                conv2=layer(96, 96, 3, padding=1),
                shrink1=nn.Sequential(layer(96, 96, 3, stride=2, padding=1), Dropout(dropout)),
                conv3=layer(96, 192, 3, padding=1),
                conv4=layer(192, 192, 3, padding=1),
                shrink2=nn.Sequential(layer(192, 192, 3, stride=2, padding=1), Dropout(dropout)),
                conv5=layer(192, 192, 3),
                conv6=layer(192, 192, 1),
            )
        )
        self.head = nn.Sequential(OrderedDict(maps=Convolution(192, classes, 1), pool=GlobalAveragePool()))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last convolution in place of the old one."""
        self.head.maps = Convolution(192, classes, 1)
