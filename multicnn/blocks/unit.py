"""The unit that most networks since 2015 repeat: convolution, batch normalisation, activation."""

from collections import OrderedDict

from torch import nn

from multicnn.blocks.activation import activation
from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding
from multicnn.blocks.normalisation import BatchNorm


class ConvolutionUnit(nn.Sequential):
    """A convolution without bias, batch normalisation and an activation: [batch, in, ...] to [batch, out, ...].

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent.
        stride: their step.
        padding: as in `Convolution`; by default the size stays (stride 1) or becomes ceil(W / S).
        act: the activation's name.
        dims: 1, 2 or 3.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size = 3,
        stride: Size = 1,
        padding: Padding = "same",
        *,
        act: str = "relu",
        dims: int = 2,
    ) -> None:
        conv = Convolution(channels_in, channels_out, kernel, stride=stride, padding=padding, bias=False, dims=dims)
        super().__init__(OrderedDict(conv=conv, norm=BatchNorm(channels_out), act=activation(act)))
