"""The transposed convolution: a small input spreads over a large output."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.arithmetic import Size, per_axis
from multicnn.blocks.convolution import Padding, filter_sizes, fixed_padding

SPREAD = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}


class TransposedConvolution(nn.Module):
    """Each input value puts its multiple of a filter into the output, and where filters overlap they are summed.

    If a `Convolution` from channels_out to channels_in with these settings and weights is the matrix C, this is C's
    transpose: what the convolution's backward pass does. It is no inverse. Each axis becomes
    (W - 1) S + D (F - 1) + 1 - 2 P + output_padding. Dumoulin and Visin 2016, "A guide to convolution arithmetic for
    deep learning", section 4; Zeiler et al. 2010, "Deconvolutional Networks".

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent, one number or one for each axis.
        dims: over how many axes the filters spread: 1, 2 or 3.
        stride: the distance between two filters in the output.
        padding: what is cut off at either end: a number, one for each axis, "same" (W S places stay) or "valid" (none).
        output_padding: what comes on at the end; below the stride or the dilation. A strided convolution gives one
            output size for several input sizes, and this says which of them to return to.
        dilation: the distance between a filter's own points.
        groups: into how many separate bundles the channels are cut.
        bias: whether each output channel has a threshold.

    Raises:
        ValueError: sizes that make no filter, channels that the groups do not divide, or an output_padding that is too
            large or for "same".
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        *,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        output_padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.dilation = filter_sizes(
            channels_in, channels_out, kernel, dims, stride, dilation, groups
        )
        self.dims = dims
        self.groups = groups
        self.output_padding = per_axis(output_padding, dims)
        self.surplus = (0,) * dims
        if padding == "same":
            if any(self.output_padding):
                raise ValueError(
                    f'padding "same" fixes the output\'s size; there is no output_padding={output_padding}'
                )
            self._keep_multiples()
        else:
            steps = map(max, self.stride, self.dilation)
            if any(not 0 <= extra < step for extra, step in zip(self.output_padding, steps, strict=True)):
                raise ValueError(f"output_padding is from 0 to below the stride or the dilation, not {output_padding}")
            self.padding = fixed_padding(padding, self.kernel, self.stride, self.dilation) or ()
        self.weight = nn.Parameter(torch.empty(channels_in, channels_out // groups, *self.kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        seen = channels_in // groups * math.prod(self.kernel) / math.prod(self.stride)  # by each output, on average
        nn.init.normal_(self.weight, std=math.sqrt(2 / seen))

    def _keep_multiples(self) -> None:
        """Cuts off what "same" adds to an input of W S, the larger half behind; adds what it never sees."""
        total = [d * (k - 1) + 1 - s for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True)]
        self.padding = tuple(max(amount, 0) // 2 for amount in total)
        self.surplus = tuple(max(amount, 0) % 2 for amount in total)
        self.output_padding = tuple(max(-amount, 0) for amount in total)

    def forward(self, x: Tensor) -> Tensor:
        """Spreads.

        Args:
            x: [batch, channels_in, ...], with `dims` more axes.

        Returns:
            [batch, channels_out, ...].
        """
        y = SPREAD[self.dims](
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )
        return y[(..., *(slice(-amount or None) for amount in self.surplus))]

    def extra_repr(self) -> str:
        channels_in, channels_out = self.weight.shape[:2]
        return (
            f"{channels_in}, {channels_out * self.groups}, kernel={self.kernel}, stride={self.stride}, "
            f"padding={self.padding}, output_padding={self.output_padding}, dilation={self.dilation}, "
            f"groups={self.groups}"
        )
