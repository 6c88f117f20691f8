"""A strided convolution in place of a pooling layer."""

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding


class ConvolutionPool(Convolution):
    """Makes maps smaller by a convolution with a step: the network learns its own pooling.

    Springenberg et al. 2014, "Striving for Simplicity: The All Convolutional Net", section 2. A pooling layer looks at
    each channel by itself; this one mixes all of them, unless `groups=channels`.

    Args:
        channels: of the input and of the output.
        kernel: the window's extent, one number or one for each axis.
        stride: its step; the window's own extent where it is left out, so that windows do not overlap.
        padding, dims, groups, bias: as in `Convolution`.
    """

    def __init__(
        self,
        channels: int,
        kernel: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        *,
        dims: int = 2,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        step = kernel if stride is None else stride
        super().__init__(channels, channels, kernel, stride=step, padding=padding, groups=groups, bias=bias, dims=dims)
