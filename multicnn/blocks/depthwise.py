"""Depthwise convolutions: each channel is filtered by itself."""

from collections import OrderedDict

from torch import nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding


class DepthwiseConvolution(Convolution):
    """Filters each channel with its own filters and mixes none: [batch, channels, ...] to multiplier times as many.

    Output channel m of input channel c stands at c * multiplier + m. Chollet 2016, "Xception: Deep Learning with
    Depthwise Separable Convolutions", section 2.

    Args:
        channels: the input's channels.
        kernel: the filters' extent.
        multiplier: how many filters each channel has.
        dims, stride, padding, dilation, bias: as in `Convolution`.
    """

    def __init__(
        self,
        channels: int,
        kernel: Size,
        *,
        multiplier: int = 1,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            channels,
            channels * multiplier,
            kernel,
            dims=dims,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=channels,
            bias=bias,
        )


class DepthwiseSeparable(nn.Sequential):
    """A convolution in two steps: each channel is filtered by itself, then a pointwise convolution mixes them.

    For C channels in, N out and a kernel of K numbers it has C (K + N) weights in place of C K N.
    Howard et al. 2017, "MobileNets", section 3.1.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the extent of the filters of the first step.
        multiplier: how many filters each channel has there.
        dims, stride, padding, dilation: as in `Convolution`, of the first step.
        bias: whether each output channel has a threshold.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        *,
        multiplier: int = 1,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
        bias: bool = True,
    ) -> None:
        depthwise = DepthwiseConvolution(
            channels_in,
            kernel,
            multiplier=multiplier,
            dims=dims,
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=False,  # the second step's takes its place
        )
        pointwise = Convolution(channels_in * multiplier, channels_out, 1, dims=dims, bias=bias)
        super().__init__(OrderedDict(depthwise=depthwise, pointwise=pointwise))
