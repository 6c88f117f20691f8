"""CIFAR's residual networks: as thin as they are deep."""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalAveragePool, MaxPool
from multicnn.blocks.residual import BasicBlock
from multicnn.blocks.unit import ConvolutionUnit


class ZeroShortcut(nn.Module):
    """The input itself, every second pixel of it, with zeros for the new channels: a shortcut without weights.

    He et al. 2015, section 3.3, option A.

    Args:
        extra: how many channels of zeros are added.
        stride: the step between the pixels that are kept.
    """

    def __init__(self, extra: int, stride: int) -> None:
        super().__init__()
        self.extra = extra
        self.sample = MaxPool(1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] to [batch, channels + extra, ...], each axis ceil(W / stride)."""
        return functional.pad(self.sample(x), (0, 0, 0, 0, 0, self.extra))


class CifarResNet(Backbone):
    """Residual network of 6 n + 2 layers, for pictures of 32 x 32.

    He et al. 2015, "Deep Residual Learning for Image Recognition", section 4.2. The idea: the blocks of the large
    networks, so narrow that depth itself can be studied; 16, 32 and 64 channels, and shortcuts without weights.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        width: the channels of the first stage; each further stage has twice as many.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    depth: ClassVar[int]  # n, the blocks of each stage
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (32, 32),
        *,
        width: int = 16,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.width = 4 * width
        self.features = nn.Sequential(
            ConvolutionUnit(channels, width),
            self._stage(width, width, stride=1),
            self._stage(width, 2 * width, stride=2),
            self._stage(2 * width, 4 * width, stride=2),
        )
        self.head = nn.Sequential(GlobalAveragePool(), Dropout(dropout), nn.Linear(self.width, classes))

    def _stage(self, channels_in: int, width: int, stride: int) -> nn.Sequential:
        """Blocks of one resolution; the first of them changes it."""
        first = BasicBlock(channels_in, width, stride)
        if stride > 1:
            first.downsample = ZeroShortcut(width - channels_in, stride)
        return nn.Sequential(first, *(BasicBlock(width, width) for _ in range(self.depth - 1)))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head[-1] = nn.Linear(self.width, classes)


class ResNet20(CifarResNet):
    """20 layers: 269,722 parameters with 10 classes."""

    depth = 3


class ResNet32(CifarResNet):
    """32 layers: 464,154 parameters with 10 classes."""

    depth = 5


class ResNet44(CifarResNet):
    """44 layers: 658,586 parameters with 10 classes."""

    depth = 7


class ResNet56(CifarResNet):
    """56 layers: 853,018 parameters with 10 classes."""

    depth = 9


class ResNet110(CifarResNet):
    """110 layers: 1,727,962 parameters with 10 classes."""

    depth = 18
