"""The unit of the Inception networks."""

from collections import OrderedDict

from torch import nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.normalisation import BatchNorm


class Unit(nn.Sequential):
    """Convolution, batch normalisation (epsilon 0.001, as in TensorFlow), rectifier; names as in torchvision.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent.
        stride: their step.
        padding: zeros around the input; by default as many as keep the size at a stride of 1.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: Size = 1, stride: int = 1, padding: int | None = None
    ) -> None:
        conv = Convolution(
            channels_in,
            channels_out,
            kernel,
            stride=stride,
            padding="same" if padding is None else padding,
            bias=False,
        )
        super().__init__(OrderedDict(conv=conv, bn=BatchNorm(channels_out, eps=1e-3), relu=nn.ReLU(inplace=True)))
