"""The mlpconv layer of Network in Network: a small network slides over the input in place of a filter."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding


class MlpConvolution(nn.Sequential):
    """A convolution and 1-wide ones after it, each rectified: a multilayer perceptron looks at each patch.

    A filter answers linearly; this can tell patches apart that no line separates. [batch, channels_in, ...] to
    [batch, widths[-1], ...]. Lin et al. 2013, "Network in Network", section 3.1.

    Args:
        channels_in: the input's channels.
        widths: the perceptron's layers; the paper's have three.
        kernel: the extent of the patches.
        dims, stride, padding: as in `Convolution`, of the first layer.

    Raises:
        ValueError: no layers.
    """

    def __init__(
        self,
        channels_in: int,
        widths: Sequence[int],
        kernel: Size,
        *,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
    ) -> None:
        if not widths:
            raise ValueError("an mlpconv layer has at least one width, not none")
        super().__init__(
            Convolution(channels_in, widths[0], kernel, dims=dims, stride=stride, padding=padding), nn.ReLU()
        )
        for width_in, width in pairwise(widths):
            self.extend([Convolution(width_in, width, 1, dims=dims), nn.ReLU()])
