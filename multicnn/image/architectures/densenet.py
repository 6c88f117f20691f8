"""DenseNet: networks that use every feature again."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dense import DenseBlock, Transition
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import GlobalAveragePool, MaxPool
from multicnn.image.architectures.stem import is_small


class DenseNet(Backbone):
    """Densely connected network (DenseNet-BC), for photographs of 224 x 224.

    Huang et al. 2016, "Densely Connected Convolutional Networks", table 1. The idea: each layer sees all layers before
    it and adds a few channels, so few weights go a long way. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        stem: "imagenet", "small" (3x3 and no pooling, as for CIFAR), or "auto": small under 64 pixels.
        dropout: the share of each dense layer's output, and of the pooled features, that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    depths: ClassVar[tuple[int, int, int, int]]
    growth: ClassVar[int] = 32
    features: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        stem: str = "auto",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = 2 * self.growth
        stages = _stem(channels, width, is_small(stem, size))
        for number, depth in enumerate(self.depths, start=1):
            stages[f"denseblock{number}"] = DenseBlock(depth, width, self.growth, dropout=dropout)
            width += depth * self.growth
            if number < len(self.depths):
                stages[f"transition{number}"] = Transition(width, width // 2)
                width //= 2
        stages["norm5"] = BatchNorm(width)
        stages["relu5"] = nn.ReLU(inplace=True)
        self.features = nn.Sequential(stages)
        self.pool = GlobalAveragePool()
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(width, classes)

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.pool, self.dropout, self.classifier)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.classifier = nn.Linear(self.classifier.in_features, classes)


def _stem(channels: int, width: int, small: bool) -> OrderedDict[str, nn.Module]:
    conv = (
        Convolution(channels, width, 3, padding=1, bias=False)
        if small
        else Convolution(channels, width, 7, stride=2, padding=3, bias=False)
    )
    stages = OrderedDict[str, nn.Module](conv0=conv, norm0=BatchNorm(width), relu0=nn.ReLU(inplace=True))
    if not small:
        stages["pool0"] = MaxPool(3, stride=2, padding=1)
    return stages


class DenseNet121(DenseNet):
    """121 layers: 7,978,856 parameters with 1000 classes."""

    depths = (6, 12, 24, 16)


class DenseNet161(DenseNet):
    """161 layers, growing by 48: 28,681,000 parameters with 1000 classes."""

    depths = (6, 12, 36, 24)
    growth = 48


class DenseNet169(DenseNet):
    """169 layers: 14,149,480 parameters with 1000 classes."""

    depths = (6, 12, 32, 32)


class DenseNet201(DenseNet):
    """201 layers: 20,013,928 parameters with 1000 classes."""

    depths = (6, 12, 48, 32)
