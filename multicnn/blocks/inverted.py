"""The inverted bottleneck of MobileNetV2: wide in the middle, thin at both ends."""

from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.depthwise import DepthwiseConvolution
from multicnn.blocks.normalisation import BatchNorm


class InvertedBottleneck(nn.Module):
    """Widens by a 1-wide convolution, filters each channel by itself, and narrows again without an activation.

    Between blocks only the thin maps have to be kept, and an activation on so few channels would lose information.
    Where the shape stays, the input is added. Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear
    Bottlenecks", table 1; the names of the weights are torchvision's.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        stride: of the depthwise convolution.
        expansion: t, how many times wider the middle is; at 1 there is nothing to widen.
        kernel: the depthwise filters' extent, odd.
        dims: 1, 2 or 3.

    Raises:
        ValueError: an even kernel.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int = 1,
        *,
        expansion: int = 6,
        kernel: int = 3,
        dims: int = 2,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"filters that keep the size have an odd extent, not {kernel}")
        wide = channels_in * expansion
        widen = Convolution(channels_in, wide, 1, bias=False, dims=dims)
        each = DepthwiseConvolution(wide, kernel, stride=stride, padding=kernel // 2, bias=False, dims=dims)
        narrow = Convolution(wide, channels_out, 1, bias=False, dims=dims)
        steps = [_activated(each, wide), narrow, BatchNorm(channels_out)]
        self.conv = nn.Sequential(*([_activated(widen, wide)] if expansion > 1 else []), *steps)
        self.adds = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, channels_out, ...], each axis ceil(W / stride)."""
        y: Tensor = self.conv(x)
        return x + y if self.adds else y


def _activated(conv: Convolution, channels: int) -> nn.Sequential:
    return nn.Sequential(conv, BatchNorm(channels), nn.ReLU6(inplace=True))
