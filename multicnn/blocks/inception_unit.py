"""The unit of all Inception networks."""

from collections import OrderedDict

from torch import nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding
from multicnn.blocks.normalisation import BatchNorm


class InceptionUnit(nn.Sequential):
    """Convolution, batch normalisation (epsilon 0.001, as in TensorFlow), rectifier; torchvision's and timm's names.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent.
        stride: their step.
        padding: around the input; "same" keeps the size at a stride of 1.
        dims: 1, 2 or 3.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size = 1,
        *,
        stride: Size = 1,
        padding: Padding = "same",
        dims: int = 2,
    ) -> None:
        conv = Convolution(channels_in, channels_out, kernel, stride=stride, padding=padding, bias=False, dims=dims)
        super().__init__(OrderedDict(conv=conv, bn=BatchNorm(channels_out, eps=1e-3), relu=nn.ReLU(inplace=True)))


def along_each_axis(
    channels_in: int, between: int, channels_out: int, kernel: int, *, dims: int = 2, first_axis_first: bool = False
) -> list[InceptionUnit]:
    """A wide filter as narrow ones behind each other, one along each axis: 7x7 is 1x7, then 7x1.

    For `kernel` k it takes k + k weights where the square takes k k. Szegedy et al. 2015, "Rethinking the Inception
    Architecture for Computer Vision", section 3.2.

    Args:
        channels_in: the input's channels.
        between: the channels between two steps.
        channels_out: the output's channels.
        kernel: the extent of the wide filter.
        dims: 1, 2 or 3: how many axes, and so how many steps, there are.
        first_axis_first: 7x1, then 1x7.
    """
    axes = range(dims) if first_axis_first else reversed(range(dims))
    widths = [channels_in, *[between] * (dims - 1), channels_out]
    return [
        InceptionUnit(before, after, along(axis, kernel, dims), dims=dims)
        for axis, before, after in zip(axes, widths, widths[1:], strict=False)
    ]


def along(axis: int, kernel: int, dims: int) -> tuple[int, ...]:
    """The extent of a filter that is wide along one axis only."""
    return tuple(kernel if other == axis else 1 for other in range(dims))
