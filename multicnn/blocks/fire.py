"""The fire module of SqueezeNet: squeeze to few channels before the costly filters."""

import torch
from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution


class Fire(nn.Module):
    """A 1-wide convolution squeezes the channels; 1-wide and 3-wide ones expand them, side by side.

    3-wide filters are costly in proportion to their input's channels, and here these are few. Iandola et al. 2016,
    "SqueezeNet", section 3.2; the names of the weights are torchvision's.

    Args:
        channels_in: the input's channels.
        squeeze: s1x1, the channels in the middle.
        expand1: e1x1, the channels of the 1-wide filters.
        expand3: e3x3, those of the 3-wide ones.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int, squeeze: int, expand1: int, expand3: int, *, dims: int = 2) -> None:
        super().__init__()
        self.squeeze = Convolution(channels_in, squeeze, 1, dims=dims)
        self.expand1x1 = Convolution(squeeze, expand1, 1, dims=dims)
        self.expand3x3 = Convolution(squeeze, expand3, 3, padding=1, dims=dims)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, expand1 + expand3, ...], of the same size."""
        x = self.relu(self.squeeze(x))
        return self.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))  # type: ignore[no-any-return]
