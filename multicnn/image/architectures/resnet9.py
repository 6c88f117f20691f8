"""ResNet-9: the small residual network that trains fast."""

from collections import OrderedDict
from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalMaxPool, MaxPool
from multicnn.blocks.scaled_linear import ScaledLinear
from multicnn.blocks.unit import ConvolutionUnit

LARGE = 64  # pixels; a longer axis is quartered before anything else


class Residual(nn.Module):
    """x + two convolution units of x, nothing behind the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvolutionUnit(channels, channels)
        self.second = ConvolutionUnit(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same shape."""
        return x + self.second(self.first(x))  # type: ignore[no-any-return]


class ResNet9(Backbone):
    """ResNet-9, for pictures of 32 x 32 and little time.

    Page 2018, "How to Train Your ResNet" (myrtle.ai), the DAWNBench entry on CIFAR-10: 94 % in 24 epochs. The idea:
    few wide layers keep the hardware busy, and two residual blocks are enough. 6,573,120 parameters at 10 classes.

    Each of the three layers halves the picture. An axis of more than 64 pixels is quartered first, by a stride of 2 in
    the first convolution and a pooling behind it, so that 224 x 224 costs hardly more than 56 x 56.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width, each at least 8.
        width: the channels of the first layer; the last one has eight times as many.
        dropout: the share of the pooled features that is dropped in training.
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
        width: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(size) < 8:
            raise ValueError(f"{size[0]} x {size[1]} is too small, it takes 8 x 8 or more; image.size=32 would do")
        step = [2 if side > LARGE else 1 for side in size]
        self.width = 8 * width
        self.features = nn.Sequential(
            OrderedDict(
                prep=ConvolutionUnit(channels, width, stride=step, padding=1),
                shrink=MaxPool(step) if max(step) > 1 else nn.Identity(),
                layer1=nn.Sequential(ConvolutionUnit(width, 2 * width), MaxPool(2), Residual(2 * width)),
                layer2=nn.Sequential(ConvolutionUnit(2 * width, 4 * width), MaxPool(2)),
                layer3=nn.Sequential(ConvolutionUnit(4 * width, 8 * width), MaxPool(2), Residual(8 * width)),
            )
        )
        self.head = nn.Sequential(
            OrderedDict(pool=GlobalMaxPool(), dropout=Dropout(dropout), linear=ScaledLinear(self.width, classes))
        )

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head.linear = ScaledLinear(self.width, classes)
