"""The poolings that a pattern can name."""

import math
from collections.abc import Callable
from functools import partial

from torch import nn

from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, GlobalMaxPool, KMaxPool, MaxPool, WindowPool
from multicnn.blocks.pooling_attention import AttentionPool
from multicnn.blocks.pooling_convolution import ConvolutionPool
from multicnn.blocks.pooling_dynamic_k import DynamicKMaxPool
from multicnn.blocks.pooling_lp import GeneralisedMean, LpPool, SumPool
from multicnn.blocks.pooling_regions import (
    AdaptivePool,
    DynamicPool,
    SequencePyramidPool,
    SequenceRegionPool,
    SpatialPyramidPool,
)
from multicnn.blocks.pooling_stochastic import MaxPoolDropout, StochasticPool
from multicnn.language.place import Place, sliding
from multicnn.language.same_pool import SamePool
from multicnn.language.tree import Unit, Value
from multicnn.language.words import Number, Word

WINDOW = (Number("window", 2, "size"),)
PADDING = ("same", "valid", "p", "floor")


def _window(kind: Callable[..., WindowPool], border: float = 0.0) -> Callable[..., nn.Module]:
    """A pooling whose step is its window's extent where nothing is said."""

    def make(unit: Unit, place: Place, extent: Value) -> nn.Module:
        one = sliding(unit, place, extent, keeps=False, stride=extent)
        if one.padding == "same":
            return SamePool(kind(one.kernel, one.stride, dims=place.dims), border)
        return kind(one.kernel, one.stride, one.padding, dims=place.dims)

    return make


def _lp(unit: Unit, place: Place, extent: Value, power: int) -> nn.Module:
    return _window(partial(LpPool, power))(unit, place, extent)


def _max_dropout(unit: Unit, place: Place, extent: Value, share: float) -> nn.Module:
    return _window(partial(MaxPoolDropout, p=share))(unit, place, extent)


def _convolution(unit: Unit, place: Place, extent: Value) -> nn.Module:
    one = sliding(unit, place, extent, keeps=False, stride=extent)
    return ConvolutionPool(place.channels, one.kernel, one.stride, one.padding, dims=place.dims, bias=place.bias)


def _regions(
    unit: Unit, place: Place, kind: type[AdaptivePool] | type[DynamicPool], size: Value, reduce: str
) -> nn.Module:
    if place.open and kind is DynamicPool and isinstance(size, int):
        return SequenceRegionPool(size)
    if place.open:
        raise unit.error(": the regions of a text are those of region4 or spp4-2-1")
    return kind(size, reduce=reduce, dims=place.dims)  # type: ignore[arg-type]


def _pyramid(unit: Unit, place: Place, *levels: int) -> nn.Module:
    return SequencePyramidPool(levels) if place.open else SpatialPyramidPool(levels, dims=place.dims)


def _dynamic_k(unit: Unit, place: Place, k_top: int) -> nn.Module:
    """Which one of how many it is, is known when all layers are there (see `chain`)."""
    if not place.open:
        raise unit.error(f": it is for texts, whose length varies; kmax{k_top} keeps {k_top} of any sequence")
    return DynamicKMaxPool(1, 1, k_top)


POOLS: dict[str, Word] = {
    "pool": Word(
        "pool3/2",
        "maximum under a window: its extent, and the step, which is the extent where it is left out",
        _window(MaxPool, -math.inf),
        WINDOW,
        PADDING,
        strides=True,
    ),
    "avg": Word("avg2", "mean under a window", _window(AveragePool), WINDOW, PADDING, strides=True),
    "sum": Word("sum2", "sum under a window", _window(SumPool), WINDOW, PADDING, strides=True),
    "lp": Word(
        "lp3-2/2",
        "p-norm under a window: its extent, and p; `lp3-2` is L2 pooling",
        _lp,
        (*WINDOW, Number("power p", 2)),
        PADDING,
        strides=True,
    ),
    "stoch": Word("stoch2/2", "stochastic pooling", _window(StochasticPool), WINDOW, PADDING, strides=True),
    "maxdrop": Word(
        "maxdrop2-0.5",
        "max-pooling dropout: the window's extent, and the share that is dropped",
        _max_dropout,
        (*WINDOW, Number("share", 0.5, "share")),
        PADDING,
        strides=True,
    ),
    "convpool": Word(
        "convpool2", "a strided convolution in place of pooling", _convolution, WINDOW, PADDING, strides=True
    ),
    "adapt": Word(
        "adapt6",
        "maxima of 6 regions along each axis, for maps of any size; `adapt6x1` one for each axis",
        lambda unit, place, size: _regions(unit, place, AdaptivePool, size, "max"),
        (Number("number of regions", kind="size"),),
    ),
    "adaptavg": Word(
        "adaptavg6",
        "the same with means",
        lambda unit, place, size: _regions(unit, place, AdaptivePool, size, "average"),
        (Number("number of regions", kind="size"),),
    ),
    "region": Word(
        "region4",
        "dynamic pooling: maxima of 4 regions along each axis, none of which share a place",
        lambda unit, place, size: _regions(unit, place, DynamicPool, size, "max"),
        (Number("number of regions", kind="size"),),
    ),
    "spp": Word(
        "spp4-2-1",
        "spatial pyramid pooling: the regions along an axis, for each level",
        _pyramid,
        (Number("number of regions", (4, 2, 1), many=True),),
    ),
    "gap": Word("gap", "global average", lambda unit, place: GlobalAveragePool()),
    "gmp": Word("gmp", "global maximum", lambda unit, place: GlobalMaxPool()),
    "gem": Word("gem", "generalised mean with a learned power", lambda unit, place: GeneralisedMean(place.channels)),
    "att": Word(
        "att128",
        "attention pooling, 128 units in the middle",
        lambda unit, place, hidden: AttentionPool(place.channels, hidden),
        (Number("number of hidden units", 128),),
    ),
    "kmax": Word(
        "kmax3",
        "the 3 largest over time, in their order",
        lambda unit, place, k: KMaxPool(k),
        (Number("k"),),
        dims=(1,),
    ),
    "dkmax": Word(
        "dkmax4",
        "dynamic k-max over time: more for longer texts, fewer the nearer the last one, which keeps 4",
        _dynamic_k,
        (Number("k of the last one"),),
        dims=(1,),
    ),
}
