"""The convolution itself."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.arithmetic import Size, per_axis, same_padding

Padding = Size | Literal["same", "valid"]

CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


class Convolution(nn.Module):
    """Slides small learned filters over the input and answers, at each place, how well each of them fits.

    The same weights are used everywhere, so a feature is found wherever it lies, and a layer needs few weights.
    LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition". Initialised as in He et al. 2015,
    "Delving Deep into Rectifiers", equation 10, which keeps the size of the signal constant through rectified layers.

    Args:
        channels_in: the input's channels.
        channels_out: how many filters there are.
        kernel: the filters' extent, one number or one for each axis.
        dims: over how many axes the filters slide: 1, 2 or 3.
        stride: the step between two places.
        padding: zeros around the input: a number, one for each axis, "same" (ceil(W / S) places) or "valid" (none).
        dilation: the distance between a filter's own points.
        groups: into how many separate bundles the channels are cut.
        bias: whether each filter has a threshold; superfluous before a batch normalisation.

    Raises:
        ValueError: sizes that make no filter, or channels that the groups do not divide.
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
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if dims not in CONVOLVE:
            raise ValueError(f"a convolution slides over 1, 2 or 3 axes, not {dims}")
        self.dims = dims
        self.kernel, self.stride, self.dilation = (per_axis(value, dims) for value in (kernel, stride, dilation))
        self.groups = groups
        sizes = {"channels": (channels_in, channels_out), "kernel": self.kernel, "stride": self.stride}
        for what, values in (sizes | {"dilation": self.dilation, "groups": (groups,)}).items():
            if min(values) < 1:
                raise ValueError(f"a convolution's {what} cannot be {' and '.join(map(str, values))}; 1 is the least")
        if channels_in % groups or channels_out % groups:
            raise ValueError(f"{groups} groups do not divide {channels_in} and {channels_out} channels")
        self.padding = self._fixed_padding(padding)
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in // groups, *self.kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        nn.init.normal_(self.weight, std=math.sqrt(2 / self.weight[0].numel()))

    def _fixed_padding(self, padding: Padding) -> tuple[int, ...] | None:
        """The padding at either end of each axis; None where it is uneven or depends on the input's size."""
        if padding == "valid":
            return (0,) * self.dims
        if not isinstance(padding, str):
            return per_axis(padding, self.dims)
        if padding != "same":
            raise ValueError(f'padding is a number, "same" or "valid", not "{padding}"')
        total = [dilation * (kernel - 1) for kernel, dilation in zip(self.kernel, self.dilation, strict=True)]
        even = all(stride == 1 for stride in self.stride) and not any(amount % 2 for amount in total)
        return tuple(amount // 2 for amount in total) if even else None

    def forward(self, x: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: [batch, channels_in, ...], with `dims` more axes.

        Returns:
            [batch, channels_out, ...].
        """
        padding = self.padding
        if padding is None:
            ends = map(same_padding, x.shape[2:], self.kernel, self.stride, self.dilation)
            x = functional.pad(x, [amount for pair in reversed(list(ends)) for amount in pair])  # last axis first
            padding = (0,) * self.dims
        return CONVOLVE[self.dims](x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        channels_out, channels_in = self.weight.shape[:2]
        return (
            f"{channels_in * self.groups}, {channels_out}, kernel={self.kernel}, stride={self.stride}, "
            f"padding={self.padding or 'same'}, dilation={self.dilation}, groups={self.groups}"
        )
