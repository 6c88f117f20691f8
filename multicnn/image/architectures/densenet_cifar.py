"""CIFAR's densely connected networks: much accuracy from few weights."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dense import DenseBlock, Transition
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import GlobalAveragePool


class CifarDenseNet(Backbone):
    """DenseNet-BC of three equal dense blocks, for pictures of 32 x 32, 4 x 4 at least.

    Huang et al. 2016, "Densely Connected Convolutional Networks", sections 3 and 4.2, table 2. The idea: what one
    layer has found, every later one can use, so few new channels a layer are enough.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of each dense layer's output that is dropped in training; the paper's 0.2 is for training
            without augmentation.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    layers: ClassVar[int]  # L
    growth: ClassVar[int]  # k
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (32, 32), *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        depth = (self.layers - 4) // 6  # of each block; a layer is two convolutions
        width = 2 * self.growth
        stages = OrderedDict[str, nn.Module](conv0=Convolution(channels, width, 3, padding=1, bias=False))
        for number in (1, 2, 3):
            stages[f"denseblock{number}"] = DenseBlock(depth, width, self.growth, dropout=dropout)
            width += depth * self.growth
            if number < 3:
                stages[f"transition{number}"] = Transition(width, width // 2)
                width //= 2
        self.width = width
        stages["norm"] = BatchNorm(width)
        stages["relu"] = nn.ReLU(inplace=True)
        self.features = nn.Sequential(stages)
        self.head = nn.Sequential(OrderedDict(pool=GlobalAveragePool(), linear=nn.Linear(width, classes)))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head.linear = nn.Linear(self.width, classes)


class DenseNetBC100(CifarDenseNet):
    """L = 100, k = 12: 769,162 parameters with 10 classes."""

    layers, growth = 100, 12


class DenseNetBC250(CifarDenseNet):
    """L = 250, k = 24: 15,324,406 parameters with 10 classes."""

    layers, growth = 250, 24


class DenseNetBC190(CifarDenseNet):
    """L = 190, k = 40: 25,624,430 parameters with 10 classes."""

    layers, growth = 190, 40
