"""The Inception module of GoogLeNet: filters of several sizes side by side."""

import torch
from torch import Tensor, nn

from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.pooling import MaxPool


class Inception(nn.Module):
    """Looks at 1-, 3- and 5-wide patches and at the neighbourhood's maxima all at once, and lets the next layer choose.

    1-wide convolutions before the wider ones keep the cost down. Szegedy et al. 2014, "Going Deeper with Convolutions",
    figure 2 (b), with batch normalisation (which came a year later); the names of the weights are torchvision's.

    Args:
        channels_in: the input's channels.
        one: #1x1, the channels of the 1-wide filters.
        three_reduce, three: #3x3 reduce and #3x3, the channels before and after the 3-wide ones.
        five_reduce, five: #5x5 reduce and #5x5, before and after the 5-wide ones.
        pool: pool proj, the channels after the maxima.
        widest: the extent of the "5-wide" filters; torchvision's weights have 3, by a mistake that stayed.
        dims: 1, 2 or 3.
    """

    def __init__(
        self,
        channels_in: int,
        one: int,
        three_reduce: int,
        three: int,
        five_reduce: int,
        five: int,
        pool: int,
        *,
        widest: int = 5,
        dims: int = 2,
    ) -> None:
        super().__init__()
        self.branch1 = InceptionUnit(channels_in, one, 1, dims=dims)
        self.branch2 = nn.Sequential(
            InceptionUnit(channels_in, three_reduce, 1, dims=dims), InceptionUnit(three_reduce, three, 3, dims=dims)
        )
        self.branch3 = nn.Sequential(
            InceptionUnit(channels_in, five_reduce, 1, dims=dims), InceptionUnit(five_reduce, five, widest, dims=dims)
        )
        self.branch4 = nn.Sequential(
            MaxPool(3, 1, padding=1, dims=dims), InceptionUnit(channels_in, pool, 1, dims=dims)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, one + three + five + pool, ...], of the same size."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)
