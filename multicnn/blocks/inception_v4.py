"""The modules of Inception-v4: one uniform choice for each resolution, where Inception-v3 had many.

Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", figures 3 to
9; the names of the weights are timm's. A filter that is wide along one axis becomes one step along each of the axes.
"""

import torch
from torch import Tensor, nn

from multicnn.blocks.inception_unit import InceptionUnit, along, along_each_axis
from multicnn.blocks.pooling import AveragePool, MaxPool


class Branches(nn.Module):
    """Children named branch0, branch1, ... that all see the input; their answers stand behind each other."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, in, ...] to [batch, out, ...], the branches' channels one after the other."""
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class StemReduction(nn.Module):
    """Halves the size by pooling and by a convolution, side by side, so that neither loses what the other keeps.

    Args:
        channels_in: the input's channels.
        channels: of the convolution.
        pool_first: whether the pooled channels stand before the convolution's.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int, channels: int, *, pool_first: bool, dims: int = 2) -> None:
        super().__init__()
        self.pool_first = pool_first
        self.maxpool = MaxPool(3, stride=2, dims=dims)
        self.conv = InceptionUnit(channels_in, channels, 3, stride=2, padding="valid", dims=dims)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, in, ...] to [batch, in + channels, ...], each axis from W to (W - 1) // 2."""
        pooled, answered = self.maxpool(x), self.conv(x)
        return torch.cat([pooled, answered] if self.pool_first else [answered, pooled], dim=1)


class StemFork(Branches):
    """The middle of the stem (figure 3): a 3-wide filter, and one behind a 7-wide one. It takes 2 off each axis.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 160, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = nn.Sequential(
            InceptionUnit(channels_in, 64, dims=dims), InceptionUnit(64, 96, 3, padding="valid", dims=dims)
        )
        self.branch1 = nn.Sequential(
            InceptionUnit(channels_in, 64, dims=dims),
            *along_each_axis(64, 64, 64, 7, dims=dims),
            InceptionUnit(64, 96, 3, padding="valid", dims=dims),
        )


class InceptionA(Branches):
    """Figure 4, at 1/8 of the input's size: filters 1, 3 and twice 3 wide, and the neighbourhood's mean. It gives 384.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 384, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = InceptionUnit(channels_in, 96, dims=dims)
        self.branch1 = nn.Sequential(InceptionUnit(channels_in, 64, dims=dims), InceptionUnit(64, 96, 3, dims=dims))
        self.branch2 = nn.Sequential(
            InceptionUnit(channels_in, 64, dims=dims),
            InceptionUnit(64, 96, 3, dims=dims),
            InceptionUnit(96, 96, 3, dims=dims),
        )
        self.branch3 = average_branch(channels_in, 96, dims)


class ReductionA(Branches):
    """Figure 7: halves the size and adds channels, by three ways at once. Table 1 has its k, l, m and n.

    Args:
        channels_in: the input's channels.
        k, l, m: the three convolutions of the longest way; 192, 224, 256 in Inception-v4.
        n: the convolution beside it; 384 everywhere.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int, k: int, l: int, m: int, n: int, *, dims: int = 2) -> None:  # noqa: E741
        super().__init__()
        self.branch0 = InceptionUnit(channels_in, n, 3, stride=2, padding="valid", dims=dims)
        self.branch1 = nn.Sequential(
            InceptionUnit(channels_in, k, dims=dims),
            InceptionUnit(k, l, 3, dims=dims),
            InceptionUnit(l, m, 3, stride=2, padding="valid", dims=dims),
        )
        self.branch2 = MaxPool(3, stride=2, dims=dims)


class InceptionB(Branches):
    """Figure 5, at 1/16 of the input's size: filters 7 and twice 7 wide, axis by axis. It gives 1024 channels.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 1024, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = InceptionUnit(channels_in, 384, dims=dims)
        self.branch1 = nn.Sequential(
            InceptionUnit(channels_in, 192, dims=dims), *along_each_axis(192, 224, 256, 7, dims=dims)
        )
        self.branch2 = nn.Sequential(
            InceptionUnit(channels_in, 192, dims=dims),
            *along_each_axis(192, 192, 224, 7, dims=dims, first_axis_first=True),
            *along_each_axis(224, 224, 256, 7, dims=dims, first_axis_first=True),
        )
        self.branch3 = average_branch(channels_in, 128, dims)


class ReductionB(Branches):
    """Figure 8: halves the size, with a 7-wide filter on one of the ways. It adds 512 channels.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 1024, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = nn.Sequential(
            InceptionUnit(channels_in, 192, dims=dims),
            InceptionUnit(192, 192, 3, stride=2, padding="valid", dims=dims),
        )
        self.branch1 = nn.Sequential(
            InceptionUnit(channels_in, 256, dims=dims),
            *along_each_axis(256, 256, 320, 7, dims=dims),
            InceptionUnit(320, 320, 3, stride=2, padding="valid", dims=dims),
        )
        self.branch2 = MaxPool(3, stride=2, dims=dims)


class InceptionC(nn.Module):
    """Figure 6, at 1/32 of the input's size: 3-wide filters along each axis side by side, for many features.

    It gives 512 channels and 512 for each axis: 1536 for pictures.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 1536, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = InceptionUnit(channels_in, 256, dims=dims)
        self.branch1_0 = InceptionUnit(channels_in, 384, dims=dims)
        self.narrow = self._fan("branch1_1", 384, dims)
        self.branch2_0 = InceptionUnit(channels_in, 384, dims=dims)
        steps = along_each_axis(384, 448, 512, 3, dims=dims, first_axis_first=True)
        self.steps = [f"branch2_{number}" for number in range(1, dims + 1)]
        for name, step in zip(self.steps, steps, strict=True):
            self.add_module(name, step)
        self.wide = self._fan(f"branch2_{dims + 1}", 512, dims)
        self.branch3 = average_branch(channels_in, 256, dims)

    def _fan(self, name: str, channels_in: int, dims: int) -> list[str]:
        """Adds a unit along each axis, the last axis first, and returns their names: branch1_1a, branch1_1b, ..."""
        names = [name + letter for letter in "abc"[:dims]]
        for one, axis in zip(names, reversed(range(dims)), strict=True):
            self.add_module(one, InceptionUnit(channels_in, 256, along(axis, 3, dims), dims=dims))
        return names

    def forward(self, x: Tensor) -> Tensor:
        """[batch, in, ...] to [batch, 512 + 512 dims, ...], of the same size."""
        once, twice = self.branch1_0(x), self.branch2_0(x)
        for name in self.steps:
            twice = self.get_submodule(name)(twice)
        fans = [(name, once) for name in self.narrow] + [(name, twice) for name in self.wide]
        answers = [self.get_submodule(name)(seen) for name, seen in fans]
        return torch.cat([self.branch0(x), *answers, self.branch3(x)], dim=1)


def average_branch(channels_in: int, channels_out: int, dims: int) -> nn.Sequential:
    """The mean of 3 places along each axis, those outside not counted, then a pointwise convolution."""
    return nn.Sequential(
        AveragePool(3, stride=1, padding=1, count_border=False, dims=dims),
        InceptionUnit(channels_in, channels_out, dims=dims),
    )
