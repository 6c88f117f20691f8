"""Spatially separable convolutions: one axis after the other."""

from typing import Self, cast

import torch
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size, per_axis
from multicnn.blocks.convolution import Convolution, Padding
from multicnn.blocks.precision import widened


class SpatiallySeparable(nn.Sequential):
    """A k x 1 convolution, then a 1 x k one: 2 k weights where a square filter has k k. In 3-D there are three steps.

    Only filters that are sums of outer products can be written so; how many products is up to the channels in between.
    Szegedy et al. 2015, "Rethinking the Inception Architecture", section 3.2.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent, one number or one for each axis.
        middle: the channels between the steps; channels_out where it is left out.
        dims: 2 or 3.
        stride, padding: as in `Convolution`; each step has its own axis's.
        bias: whether each output channel has a threshold.

    Raises:
        ValueError: one axis, which there is nothing to separate from.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        *,
        middle: int | None = None,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        bias: bool = True,
    ) -> None:
        if dims not in (2, 3):
            raise ValueError(f"a convolution can be separated over 2 or 3 axes, not {dims}")
        kernel, stride = per_axis(kernel, dims), per_axis(stride, dims)
        ends = padding if isinstance(padding, str) else per_axis(padding, dims)
        between = channels_out if middle is None else middle
        channels = [channels_in, *[between] * (dims - 1), channels_out]
        super().__init__(
            *(
                Convolution(
                    channels[axis],
                    channels[axis + 1],
                    only(kernel, axis, 1),
                    dims=dims,
                    stride=only(stride, axis, 1),
                    padding=ends if isinstance(ends, str) else only(ends, axis, 0),
                    bias=bias and axis == dims - 1,
                )
                for axis in range(dims)
            )
        )

    def whole_kernel(self) -> Tensor:
        """The filters of the one convolution that does the same, [channels_out, channels_in, ...]."""
        first, *others = (cast(Convolution, step).weight for step in self)
        whole: Tensor = first
        for weight in others:
            whole = torch.einsum("nm...,mc...->nc...", weight, whole)  # where one is 1 wide, the other is repeated
        return whole


class LowRank(SpatiallySeparable):
    """A convolution whose filters are sums of `rank` products of a column and a row, found together for all channels.

    Jaderberg et al. 2014, "Speeding up Convolutional Neural Networks with Low Rank Expansions", scheme 2.

    Args:
        rank: how many products there are: the channels between the steps.
        the others: as in `SpatiallySeparable`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        rank: int,
        *,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        bias: bool = True,
    ) -> None:
        super().__init__(
            channels_in, channels_out, kernel, middle=rank, dims=dims, stride=stride, padding=padding, bias=bias
        )

    @classmethod
    def from_convolution(cls, conv: Convolution, rank: int) -> Self:
        """The nearest convolution of a rank, by its singular values: a trained layer made cheaper.

        Tai et al. 2015, "Convolutional neural networks with low-rank regularization", theorem 1.

        Args:
            conv: over 2 axes, without dilation or groups, with zeros around the input.
            rank: at most min(channels_in * height, channels_out * width), with which nothing is lost.

        Raises:
            ValueError: another kind of convolution, or a rank that it does not have.
        """
        if conv.dims != 2 or conv.groups != 1 or max(conv.dilation) > 1 or conv.padding_mode != "zeros":
            raise ValueError(
                f"only a plain convolution over 2 axes can be split in two, not Convolution({conv.extra_repr()})"
            )
        channels_out, channels_in, height, width = conv.weight.shape
        matrix = widened(conv.weight.detach()).permute(1, 2, 0, 3).reshape(channels_in * height, channels_out * width)
        if not 1 <= rank <= min(matrix.shape):
            raise ValueError(f"the rank of this convolution is from 1 to {min(matrix.shape)}, not {rank}")
        columns, values, rows = torch.linalg.svd(matrix, full_matrices=False)
        root = values[:rank].sqrt()
        padding: Padding = "same" if conv.padding is None else conv.padding
        bias = conv.bias is not None
        split = cls(channels_in, channels_out, conv.kernel, rank, stride=conv.stride, padding=padding, bias=bias)
        split.to(conv.weight)  # before the weights come, lest they are rounded
        first = (columns[:, :rank] * root).T.reshape(rank, channels_in, height, 1)
        second = (root[:, None] * rows[:rank]).reshape(rank, channels_out, 1, width).transpose(0, 1)
        split.load_state_dict({"0.weight": first, "1.weight": second} | ({"1.bias": conv.bias} if bias else {}))
        return split


def only(values: tuple[int, ...], axis: int, otherwise: int) -> tuple[int, ...]:
    """The value of one axis, and something else for all the others."""
    return tuple(value if i == axis else otherwise for i, value in enumerate(values))
