"""The convolution itself."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.arithmetic import Size, per_axis, same_padding

Padding = Size | Literal["same", "valid"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]

CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def filter_sizes(
    channels_in: int, channels_out: int, kernel: Size, dims: int, stride: Size = 1, dilation: Size = 1, groups: int = 1
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """A filter's kernel, stride and dilation, a number for each axis.

    Raises:
        ValueError: sizes that make no filter, or channels that the groups do not divide.
    """
    if dims not in CONVOLVE:
        raise ValueError(f"a convolution slides over 1, 2 or 3 axes, not {dims}")
    kernel, stride, dilation = (per_axis(value, dims) for value in (kernel, stride, dilation))
    sizes = {"channels": (channels_in, channels_out), "kernel": kernel, "stride": stride}
    for what, values in (sizes | {"dilation": dilation, "groups": (groups,)}).items():
        if min(values) < 1:
            raise ValueError(f"a convolution's {what} cannot be {' and '.join(map(str, values))}; 1 is the least")
    if channels_in % groups or channels_out % groups:
        raise ValueError(f"{groups} groups do not divide {channels_in} and {channels_out} channels")
    return kernel, stride, dilation


def fixed_padding(
    padding: Padding, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[int, ...] | None:
    """The padding at either end of each axis; None for "same" where it is uneven or depends on the input's size."""
    dims = len(kernel)
    if padding == "valid":
        return (0,) * dims
    if not isinstance(padding, str):
        amounts = per_axis(padding, dims)
        if min(amounts) < 0:
            raise ValueError(f"padding is 0 or more, not {' and '.join(map(str, amounts))}")
        return amounts
    if padding != "same":
        raise ValueError(f'padding is a number, "same" or "valid", not "{padding}"')
    total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    even = all(step == 1 for step in stride) and not any(amount % 2 for amount in total)
    return tuple(amount // 2 for amount in total) if even else None


def surround(
    x: Tensor,
    padding: Sequence[int] | None,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    mode: PaddingMode | float = "zeros",
) -> Tensor:
    """Puts a border around the input, [batch, channels, ...]; by padding None as much as "same" needs."""
    if padding is None:
        ends = list(map(same_padding, x.shape[2:], kernel, stride, dilation))
    else:
        ends = [(amount, amount) for amount in padding]
    amounts = [amount for pair in reversed(ends) for amount in pair]  # last axis first
    if mode == "zeros" or not isinstance(mode, str):
        return functional.pad(x, amounts, value=0.0 if mode == "zeros" else mode)
    return functional.pad(x, amounts, mode=mode)


class Convolution(nn.Module):
    """Slides small learned filters over the input and answers, at each place, how well each of them fits.

    The same weights are used everywhere, so a feature is found wherever it lies, and a layer needs few weights.
    LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition". Initialised as in He et al. 2015,
    "Delving Deep into Rectifiers", equation 10, which keeps the size of the signal constant through rectified layers.

    With kernel 1 it is pointwise: the same matrix mixes the channels at each place. With groups it is grouped: each
    bundle of filters sees only its own bundle of channels (Krizhevsky et al. 2012, AlexNet's two halves).

    Args:
        channels_in: the input's channels.
        channels_out: how many filters there are.
        kernel: the filters' extent, one number or one for each axis.
        dims: over how many axes the filters slide: 1, 2 or 3.
        stride: the step between two places.
        padding: around the input: a number, one for each axis, "same" (ceil(W / S) places) or "valid" (none).
        padding_mode: what is put there: "zeros", any number, "reflect" (cb|abcd|cb), "replicate" (aa|abcd|dd) or
            "circular" (cd|abcd|ab).
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
        padding_mode: PaddingMode | float = "zeros",
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.dilation = filter_sizes(
            channels_in, channels_out, kernel, dims, stride, dilation, groups
        )
        if isinstance(padding_mode, str) and padding_mode not in PADDING_MODES:
            raise ValueError(f'padding_mode is a number or one of {", ".join(PADDING_MODES)}, not "{padding_mode}"')
        self.dims = dims
        self.groups = groups
        self.padding_mode: PaddingMode | float = padding_mode
        self.padding = fixed_padding(padding, self.kernel, self.stride, self.dilation)
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in // groups, *self.kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        nn.init.normal_(self.weight, std=math.sqrt(2 / self.weight[0].numel()))

    def forward(self, x: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: [batch, channels_in, ...], with `dims` more axes.

        Returns:
            [batch, channels_out, ...].
        """
        padding = self.padding
        if padding is None or self.padding_mode != "zeros":
            x = surround(x, padding, self.kernel, self.stride, self.dilation, self.padding_mode)
            padding = (0,) * self.dims
        return CONVOLVE[self.dims](x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        channels_out, channels_in = self.weight.shape[:2]
        return (
            f"{channels_in * self.groups}, {channels_out}, kernel={self.kernel}, stride={self.stride}, "
            f"padding={self.padding or 'same'}, dilation={self.dilation}, groups={self.groups}"
            + ("" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}")
        )
