"""The convolutions that a pattern can name, and the blocks that are made of them."""

from collections.abc import Callable
from typing import Any

from torch import nn

from multicnn.blocks.causal import CausalConvolution
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dense import DenseBlock, Transition
from multicnn.blocks.depthwise import DepthwiseConvolution, DepthwiseSeparable
from multicnn.blocks.dynamic import DynamicConvolution, DynamicLocalFilter
from multicnn.blocks.fire import Fire
from multicnn.blocks.hypernetwork import StaticHyperConvolution
from multicnn.blocks.inception import Inception
from multicnn.blocks.inception_resnet import Block8, Block17, Block35
from multicnn.blocks.inception_v4 import InceptionA, InceptionB, InceptionC, ReductionA, ReductionB
from multicnn.blocks.inverted import InvertedBottleneck
from multicnn.blocks.locally_connected import LocallyConnected
from multicnn.blocks.mlpconv import MlpConvolution
from multicnn.blocks.residual import BasicBlock, Bottleneck, PreActivationBlock
from multicnn.blocks.separable import LowRank, SpatiallySeparable
from multicnn.blocks.squeeze_excitation import SqueezeExcitation
from multicnn.blocks.transposed import TransposedConvolution
from multicnn.language.place import Place, sliding
from multicnn.language.tree import Unit, Value
from multicnn.language.words import Number, Word

KERNEL = Number("kernel", 3, "size")
CHANNELS = Number("number of channels", None)
FIRST_CHANNELS, MOST_CHANNELS = 64, 512
PADDING = ("same", "valid", "p", "floor")
MODES = ("reflect", "replicate", "circular", "fill")


def _width(place: Place, channels: Value | None) -> int:
    """The channels that were asked for, or VGG's rule: 64, twice as many whenever the maps shrink, 512 at most.

    Simonyan and Zisserman 2014, "Very Deep Convolutional Networks", section 2.1.
    """
    if channels is not None:
        return int(channels)  # type: ignore[arg-type]
    grown = place.channels * 2 if place.shrunk else place.channels
    return min(max(grown, FIRST_CHANNELS), MOST_CHANNELS)


def _count(unit: Unit, modifier: str, default: int) -> int:
    value = unit.modifiers.get(modifier)
    if value is None:
        return default
    if not isinstance(value, int):
        raise unit.error(f": :{modifier} takes a whole number, not {value}")
    return value


def _step(unit: Unit) -> int:
    if unit.stride is not None and not isinstance(unit.stride, int):
        raise unit.error(f" takes one step for all axes, not {unit.stride}")
    return 1 if unit.stride is None else unit.stride


def _convolution(unit: Unit, place: Place, kernel: Value, channels: Value | None) -> nn.Module:
    one = sliding(unit, place, kernel, keeps=True)
    return Convolution(
        place.channels,
        _width(place, channels),
        one.kernel,
        dims=place.dims,
        stride=one.stride,
        padding=one.padding,
        dilation=one.dilation,
        groups=_count(unit, "g", 1),
        bias=place.bias,
        padding_mode=one.mode,
    )


def _slides(
    kind: Callable[..., nn.Module], *, dilates: bool = True, bias: bool = True, **counts: tuple[str, int]
) -> Callable[..., nn.Module]:
    """A layer of a kernel and channels whose window slides.

    Args:
        kind: the block.
        dilates: whether it takes a dilation.
        bias: whether it takes one.
        counts: further numbers that it takes, each with its modifier and what it is without that.
    """

    def make(unit: Unit, place: Place, kernel: Value, channels: Value | None) -> nn.Module:
        one = sliding(unit, place, kernel, keeps=True)
        more: dict[str, Any] = {name: _count(unit, modifier, default) for name, (modifier, default) in counts.items()}
        more |= {"dilation": one.dilation} if dilates else {}
        more |= {"bias": place.bias} if bias else {}
        width = _width(place, channels)
        return kind(place.channels, width, one.kernel, dims=place.dims, stride=one.stride, padding=one.padding, **more)

    return make


def _module(kind: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """A module that takes its input's channels and the numbers as they are written."""
    return lambda unit, place, *numbers: kind(place.channels, *numbers, dims=place.dims)


def _residual(kind: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """A block of a width and a step."""
    return lambda unit, place, width: kind(place.channels, width, _step(unit), dims=place.dims)


def _transposed(unit: Unit, place: Place, kernel: Value, channels: Value | None) -> nn.Module:
    if place.open:
        raise unit.error(": it makes maps larger, which is of no use in texts")
    padding = "same" if "same" in unit.modifiers else _count(unit, "p", 0)
    width, step = _width(place, channels), unit.stride or 1
    return TransposedConvolution(
        place.channels,
        width,
        kernel,  # type: ignore[arg-type]
        dims=place.dims,
        stride=step,  # type: ignore[arg-type]
        padding=padding,  # type: ignore[arg-type]
        bias=place.bias,
    )


def _depthwise(unit: Unit, place: Place, kernel: Value) -> nn.Module:
    one = sliding(unit, place, kernel, keeps=True)
    return DepthwiseConvolution(
        place.channels,
        one.kernel,
        multiplier=_count(unit, "m", 1),
        dims=place.dims,
        stride=one.stride,
        padding=one.padding,
        dilation=one.dilation,
        bias=place.bias,
    )


def _low_rank(unit: Unit, place: Place, kernel: Value, channels: int, rank: int) -> nn.Module:
    one = sliding(unit, place, kernel, keeps=True)
    return LowRank(
        place.channels,
        channels,
        one.kernel,
        rank,
        dims=place.dims,
        stride=one.stride,
        padding=one.padding,
        bias=place.bias,
    )


def _local(unit: Unit, place: Place, kernel: Value, channels: Value | None) -> nn.Module:
    if place.open:
        raise unit.error(": it has weights for each place, and a text has no fixed length")
    one = sliding(unit, place, kernel, keeps=True)
    return LocallyConnected(
        place.channels,
        _width(place, channels),
        one.kernel,
        place.sizes,
        dims=place.dims,
        stride=one.stride,
        padding=one.padding,
        bias=place.bias,
    )


def _causal(unit: Unit, place: Place, kernel: int, channels: Value | None) -> nn.Module:
    return CausalConvolution(
        place.channels,
        _width(place, channels),
        kernel,
        stride=_step(unit),
        dilation=_count(unit, "d", 1),
        groups=_count(unit, "g", 1),
        bias=place.bias,
    )


def _mlpconv(unit: Unit, place: Place, kernel: Value, *widths: int) -> nn.Module:
    one = sliding(unit, place, kernel, keeps=True)
    return MlpConvolution(place.channels, widths, one.kernel, dims=place.dims, stride=one.stride, padding=one.padding)


def _dense(unit: Unit, place: Place, growth: int) -> nn.Module:
    return DenseBlock(1, place.channels, growth, bottleneck=_count(unit, "b", 4), dims=place.dims)


def _transition(unit: Unit, place: Place, share: float) -> nn.Module:
    return Transition(place.channels, max(1, int(place.channels * share)), dims=place.dims)


def _residual_inception(unit: Unit, place: Place, which: int) -> nn.Module:
    if which not in RESIDUAL_INCEPTION:
        raise unit.error(f": there are block35, block17 and block8, not block{which}")
    return RESIDUAL_INCEPTION[which](place.channels, dims=place.dims)


RESIDUAL_INCEPTION: dict[int, Callable[..., nn.Module]] = {35: Block35, 17: Block17, 8: Block8}
COUNT_ONLY = (Number("number of channels"),)

CONVOLUTIONS: dict[str, Word] = {
    "conv": Word(
        "conv3-64/2:same",
        "convolution: kernel, channels, step; `:dN` dilation, `:gN` groups, `:reflect`, `:replicate`, `:circular` or "
        "`:fillN` for what lies beyond the border; `conv1-64` is pointwise",
        _convolution,
        (KERNEL, CHANNELS),
        (*PADDING, "d", "g", *MODES),
        strides=True,
    ),
    "deconv": Word(
        "deconv4-64/2:p1",
        "transposed convolution",
        _transposed,
        (KERNEL, CHANNELS),
        ("same", "valid", "p"),
        strides=True,
    ),
    "dw": Word(
        "dw3/2",
        "depthwise convolution; `:mN` filters for each channel",
        _depthwise,
        (KERNEL,),
        (*PADDING, "d", "m"),
        strides=True,
    ),
    "dwsep": Word(
        "dwsep3-128",
        "depthwise separable convolution",
        _slides(DepthwiseSeparable, multiplier=("m", 1)),
        (KERNEL, CHANNELS),
        (*PADDING, "d", "m"),
        strides=True,
    ),
    "sep": Word(
        "sep7-64",
        "spatially separable convolution: 7 x 1, then 1 x 7",
        _slides(SpatiallySeparable, dilates=False),
        (KERNEL, CHANNELS),
        PADDING,
        strides=True,
        dims=(2, 3),
    ),
    "lowrank": Word(
        "lowrank7-64-16",
        "the same with 16 channels in between: filters of rank 16",
        _low_rank,
        (KERNEL, Number("number of channels"), Number("rank")),
        PADDING,
        strides=True,
        dims=(2, 3),
    ),
    "local": Word(
        "local3-32",
        "locally connected: a convolution whose weights are not shared",
        _local,
        (KERNEL, CHANNELS),
        PADDING,
        strides=True,
    ),
    "dyn": Word(
        "dyn3-64:k4:t30",
        "dynamic convolution: attention over 4 kernels at a temperature of 30",
        _slides(DynamicConvolution, kernels=("k", 4), temperature=("t", 30), groups=("g", 1)),
        (KERNEL, CHANNELS),
        (*PADDING, "d", "g", "k", "t"),
        strides=True,
    ),
    "filter": Word(
        "filter5",
        "dynamic local filtering: a filter predicted for each place",
        _module(DynamicLocalFilter),
        (KERNEL,),
    ),
    "hyper": Word(
        "hyper3-64",
        "a convolution whose kernel a small network predicts from a learned embedding",
        _slides(StaticHyperConvolution, bias=False),
        (KERNEL, CHANNELS),
        (*PADDING, "d"),
        strides=True,
    ),
    "causal": Word(
        "causal2-64:d4",
        "causal convolution over time",
        _causal,
        (Number("kernel", 3), CHANNELS),
        ("d", "g"),
        strides=True,
        dims=(1,),
    ),
    "mlpconv": Word(
        "mlpconv5-192-160-96",
        "Network in Network's layer: kernel, then the widths of a small network",
        _mlpconv,
        (KERNEL, Number("widths", many=True)),
        PADDING,
        strides=True,
    ),
    "inception": Word(
        "inception64-96-128-16-32-32",
        "Inception module: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj",
        _module(Inception),
        tuple(Number(name) for name in ("#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5", "pool proj")),
    ),
    "inception_a": Word("inception_a", "Inception-v4's module A; 384 channels", _module(InceptionA)),
    "inception_b": Word("inception_b", "Inception-v4's module B; 1024 channels", _module(InceptionB)),
    "inception_c": Word(
        "inception_c", "Inception-v4's module C; 512 channels, and 512 for each axis", _module(InceptionC)
    ),
    "reduction_a": Word(
        "reduction_a192-224-256-384",
        "Reduction-A of Inception-v4 and Inception-ResNet: k, l, m, n",
        _module(ReductionA),
        tuple(Number(name) for name in "klmn"),
    ),
    "reduction_b": Word("reduction_b", "Inception-v4's Reduction-B", _module(ReductionB)),
    "block": Word(
        "block35",
        "Inception-ResNet-v2's residual modules: block35, block17, block8",
        _residual_inception,
        (Number("size"),),
    ),
    "fire": Word(
        "fire16-64-64",
        "fire module: squeeze, expand 1x1, expand 3x3",
        _module(Fire),
        tuple(Number(name) for name in ("squeeze", "expand 1x1", "expand 3x3")),
    ),
    "res": Word(
        "res64/2",
        "residual block of two convolutions",
        _residual(BasicBlock),
        COUNT_ONLY,
        strides=True,
    ),
    "bottleneck": Word(
        "bottleneck64/2",
        "residual bottleneck: 64 channels in the middle, 256 behind it",
        _residual(Bottleneck),
        COUNT_ONLY,
        strides=True,
    ),
    "preres": Word(
        "preres64/2",
        "residual block with normalisation and activation first; a `bn relu` belongs behind the last one",
        _residual(PreActivationBlock),
        COUNT_ONLY,
        strides=True,
    ),
    "inverted": Word(
        "inverted32/2:t6",
        "MobileNetV2's inverted bottleneck, 6 times wider in the middle",
        lambda unit, place, width: InvertedBottleneck(
            place.channels, width, _step(unit), expansion=_count(unit, "t", 6), dims=place.dims
        ),
        COUNT_ONLY,
        ("t",),
        strides=True,
    ),
    "dense": Word(
        "dense12*6",
        "dense block: six layers that add 12 channels each; `:bN` the bottleneck's width, 4 times 12",
        _dense,
        (Number("growth"),),
        ("b",),
    ),
    "transition": Word(
        "transition0.5",
        "between dense blocks: half of the channels, half of the size",
        _transition,
        (Number("share", 0.5, "share"),),
    ),
    "se": Word(
        "se16",
        "squeeze and excitation, with a sixteenth of the channels in the middle",
        _module(SqueezeExcitation),
        (Number("reduction", 16),),
    ),
}
