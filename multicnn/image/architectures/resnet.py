"""ResNet: networks that learn corrections, and so can be as deep as one likes."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import GlobalAveragePool, MaxPool
from multicnn.blocks.residual import BasicBlock, Bottleneck
from multicnn.image.architectures.stem import is_small


class ResNet(Backbone):
    """Residual network, for photographs of 224 x 224.

    He et al. 2015, "Deep Residual Learning for Image Recognition", table 1. The idea: a block adds a correction to
    what it gets, so doing nothing is easy to learn and depth does no harm. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        stem: "imagenet", "small" (3x3 and no pooling, as for CIFAR), or "auto": small under 64 pixels.
        width: the channels of the first stage; each further stage has twice as many.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    block: ClassVar[type[BasicBlock] | type[Bottleneck]]
    depths: ClassVar[tuple[int, int, int, int]]

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        stem: str = "auto",
        width: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        small = is_small(stem, size)
        self.conv1 = Convolution(
            channels, width, 3 if small else 7, stride=1 if small else 2, padding="same" if small else 3, bias=False
        )
        self.bn1 = BatchNorm(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small else MaxPool(3, stride=2, padding=1)
        self.layer1 = self._stage(width, width, self.depths[0], stride=1)
        self.layer2 = self._stage(width * self.block.expansion, width * 2, self.depths[1], stride=2)
        self.layer3 = self._stage(width * 2 * self.block.expansion, width * 4, self.depths[2], stride=2)
        self.layer4 = self._stage(width * 4 * self.block.expansion, width * 8, self.depths[3], stride=2)
        self.avgpool = GlobalAveragePool()
        self.dropout = Dropout(dropout)
        self.fc = nn.Linear(width * 8 * self.block.expansion, classes)

    def _stage(self, channels_in: int, width: int, depth: int, stride: int) -> nn.Sequential:
        """Blocks of one resolution; the first of them changes it."""
        rest = [self.block(width * self.block.expansion, width) for _ in range(depth - 1)]
        return nn.Sequential(self.block(channels_in, width, stride), *rest)

    @property
    def features(self) -> nn.Module:
        """[batch, channels, height, width] to maps [batch, 8 width (expanded), height / 32, width / 32]."""
        stages = (self.layer1, self.layer2, self.layer3, self.layer4)
        return nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool, *stages)

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, self.dropout, self.fc)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.fc = nn.Linear(self.fc.in_features, classes)


class ResNet18(ResNet):
    """18 layers: 11,689,512 parameters with 1000 classes."""

    block = BasicBlock
    depths = (2, 2, 2, 2)


class ResNet34(ResNet):
    """34 layers: 21,797,672 parameters with 1000 classes."""

    block = BasicBlock
    depths = (3, 4, 6, 3)


class ResNet50(ResNet):
    """50 layers: 25,557,032 parameters with 1000 classes."""

    block = Bottleneck
    depths = (3, 4, 6, 3)


class ResNet101(ResNet):
    """101 layers: 44,549,160 parameters with 1000 classes."""

    block = Bottleneck
    depths = (3, 4, 23, 3)


class ResNet152(ResNet):
    """152 layers: 60,192,808 parameters with 1000 classes."""

    block = Bottleneck
    depths = (3, 8, 36, 3)
