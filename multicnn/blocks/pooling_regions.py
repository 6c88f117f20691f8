"""Pooling over a fixed number of regions: inputs of any size give outputs of one size."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size, per_axis
from multicnn.blocks.pooling import GlobalMaxPool
from multicnn.errors import did_you_mean

REDUCE: dict[str, Callable[[Tensor, int], Tensor]] = {
    "max": lambda x, axis: x.amax(axis),
    "average": lambda x, axis: x.mean(axis),
    "min": lambda x, axis: x.amin(axis),
}


class RegionPool(nn.Module, ABC):
    """What the pools of this page share: a grid of regions, cut by explicit slices, one axis after the other.

    Args:
        size: how many regions there are, one number or one for each axis.
        reduce: what becomes of a region: its "max", "average" or "min".
        dims: over how many axes: 1, 2 or 3.
    """

    def __init__(self, size: Size, *, reduce: str = "max", dims: int = 2) -> None:
        super().__init__()
        if dims not in (1, 2, 3):
            raise ValueError(f"pooling divides 1, 2 or 3 axes, not {dims}")
        if reduce not in REDUCE:
            raise ValueError(f"a region becomes its max, average or min, not {reduce}{did_you_mean(reduce, REDUCE)}")
        self.size = per_axis(size, dims)
        self.reduce = reduce
        if min(self.size) < 1:
            raise ValueError(f"at least 1 region is needed along each axis, not {self.size}")

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, *size]."""
        reduce = REDUCE[self.reduce]
        for axis, count in enumerate(self.size, start=2):
            regions = self.divide(x.shape[axis], count)
            x = torch.stack([reduce(x.narrow(axis, start, end - start), axis) for start, end in regions], axis)
        return x

    @staticmethod
    @abstractmethod
    def divide(side: int, count: int) -> list[tuple[int, int]]:
        """Where each of the `count` regions of an axis of `side` places begins and ends."""

    def extra_repr(self) -> str:
        return f"size={self.size}, reduce={self.reduce}"


class AdaptivePool(RegionPool):
    """Cuts each axis into so many regions as are wanted, which share a place where the size is no multiple.

    He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition", appendix A; the
    regions of torch's own adaptive pooling, whose uneven maxima do not export to ONNX.
    """

    @staticmethod
    def divide(side: int, count: int) -> list[tuple[int, int]]:
        """Region i of n reaches from floor(i W / n) to ceil((i + 1) W / n)."""
        return [(i * side // count, ((i + 1) * side + count - 1) // count) for i in range(count)]


class DynamicPool(RegionPool):
    """Cuts each axis into so many regions as are wanted, of unequal size, and no place belongs to two.

    The windows follow from the input's size. Socher et al. 2011, "Dynamic Pooling and Unfolding Recursive Autoencoders
    for Paraphrase Detection", section 3, which takes the minimum of each region of a table of distances.

    An export whose size is free needs an example with a place for each region; torch finds no end with fewer.
    """

    @staticmethod
    def divide(side: int, count: int) -> list[tuple[int, int]]:
        """The W mod n places left over go to the last regions, one each; too few places are taken several times."""
        times = (count + side - 1) // side  # rounded up; ONNX divides towards zero, so no number may be negative
        lengths = [(side * times + i) // count for i in range(count)]
        ends = list(itertools.accumulate(lengths))
        return [((end - n) // times, (end - 1) // times + 1) for n, end in zip(lengths, ends, strict=True)]


class SequenceRegionPool(nn.Module):
    """Cuts each sequence of a batch into as many regions as are wanted, by its own length, and keeps their maxima.

    It tells roughly where a feature is: at the beginning, in the middle, at the end. The regions are those of
    `DynamicPool`, worked out for each sequence.

    Args:
        regions: how many there are, at least 1.
    """

    def __init__(self, regions: int) -> None:
        super().__init__()
        if regions < 1:
            raise ValueError(f"a sequence has at least 1 region, not {regions}")
        self.regions = regions
        self.pool = GlobalMaxPool()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pools over the last axis.

        Args:
            x: [batch, channels, time].
            mask: True where x is real, [batch, time]; padding lies behind the real steps.

        Returns:
            [batch, channels, regions]; zeros where nothing is real.
        """
        mask = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
        length = mask.sum(1, keepdim=True).clamp(min=1)
        times = (self.regions + length - 1) // length
        sizes = (length * times + torch.arange(self.regions, device=x.device)) // self.regions
        ends = sizes.cumsum(1)
        starts, stops = (ends - sizes) // times, (ends - 1) // times + 1
        steps = torch.arange(x.shape[2], device=x.device)
        inside = mask[:, None] & (steps >= starts[..., None]) & (steps < stops[..., None])
        return torch.stack([self.pool(x, inside[:, region]) for region in range(self.regions)], dim=-1)

    def extra_repr(self) -> str:
        return f"regions={self.regions}"


class SpatialPyramidPool(nn.Module):
    """Pools over grids from coarse to fine and puts them behind each other: any input gives a vector of one length.

    So the layers behind it need no input of one size, and still learn roughly where a feature was.
    He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition", section 2.2.

    Args:
        levels: the regions along an axis, for each grid, in the order of the output.
        reduce: as in `RegionPool`.
        dims: 1, 2 or 3.
    """

    def __init__(self, levels: Sequence[int] = (4, 2, 1), *, reduce: str = "max", dims: int = 2) -> None:
        super().__init__()
        if not levels:
            raise ValueError("a pyramid has at least one level, such as 4, 2 and 1")
        self.pools = nn.ModuleList(AdaptivePool(level, reduce=reduce, dims=dims) for level in levels)
        self.regions = sum(math.prod(per_axis(level, dims)) for level in levels)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels * regions], each level's channels in order."""
        return torch.cat([pool(x).flatten(1) for pool in self.pools], dim=1)


class SequencePyramidPool(nn.Module):
    """The spatial pyramid of a sequence, by its own length: whole, in halves, in quarters.

    Args:
        levels: the regions of each level, in the order of the output.
    """

    def __init__(self, levels: Sequence[int] = (4, 2, 1)) -> None:
        super().__init__()
        if not levels:
            raise ValueError("a pyramid has at least one level, such as 4, 2 and 1")
        self.pools = nn.ModuleList(SequenceRegionPool(level) for level in levels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """[batch, channels, time], with a mask [batch, time] of what is real, to [batch, channels * regions]."""
        return torch.cat([pool(x, mask).flatten(1) for pool in self.pools], dim=1)
