"""The locally connected layer: a convolution whose weights are not shared."""

import math

import torch
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size, per_axis
from multicnn.blocks.convolution import Padding, filter_sizes, fixed_padding, surround
from multicnn.blocks.windows import windows


class LocallyConnected(nn.Module):
    """Looks at patches as a convolution does, but with other filters at each place.

    For inputs that are aligned, such as faces: eyes are looked for only where eyes are. Taigman et al. 2014,
    "DeepFace", section 3.1; LeCun 1989, "Generalization and Network Design Strategies", compares both.

    Args:
        channels_in: the input's channels.
        channels_out: how many filters there are at each place.
        kernel: the filters' extent, one number or one for each axis.
        size: the input's, one number or one for each axis; it is fixed, as are the places.
        dims: 1, 2 or 3.
        stride, padding: as in `Convolution`.
        bias: whether each filter at each place has a threshold.

    Raises:
        ValueError: sizes that make no filter, or a filter larger than the input.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        size: Size,
        *,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.dilation = filter_sizes(channels_in, channels_out, kernel, dims, stride)
        self.size = per_axis(size, dims)
        self.padding = fixed_padding(padding, self.kernel, self.stride, self.dilation)
        places = self._windows(torch.empty(1, 1, *self.size, device="meta")).shape[3:]
        points = math.prod(self.kernel)
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, points, *places))
        self.bias = nn.Parameter(torch.zeros(channels_out, *places)) if bias else None
        nn.init.normal_(self.weight, std=math.sqrt(2 / (channels_in * points)))

    def _windows(self, x: Tensor) -> Tensor:
        x = surround(x, self.padding, self.kernel, self.stride, self.dilation)
        return windows(x, self.kernel, self.stride, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Looks.

        Args:
            x: [batch, channels_in, ...], of the size that was given.

        Returns:
            [batch, channels_out, ...].

        Raises:
            ValueError: another size.
        """
        if tuple(x.shape[2:]) != self.size:
            raise ValueError(f"the filters were laid out for inputs of {self.size}, not {tuple(x.shape[2:])}")
        y = torch.einsum("bck...,ock...->bo...", self._windows(x), self.weight)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        channels_out, channels_in = self.weight.shape[:2]
        return (
            f"{channels_in}, {channels_out}, kernel={self.kernel}, size={self.size}, stride={self.stride}, "
            f"padding={self.padding or 'same'}"
        )
