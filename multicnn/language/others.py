"""Normalisation, dropout, activations, capsules and fully connected layers that a pattern can name."""

from collections.abc import Callable

from torch import nn

from multicnn.blocks.activation import ACTIVATIONS, GLU
from multicnn.blocks.capsule import DynamicRouting, LogLength, PrimaryCapsules
from multicnn.blocks.dropout import Dropout, SpatialDropout
from multicnn.blocks.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from multicnn.language.place import Place, sliding
from multicnn.language.tree import Unit, Value
from multicnn.language.words import Number, Word

HIDDEN = 512
ANYWHERE = (0, 1, 2, 3)


def _fully_connected(unit: Unit, place: Place, neurons: int | None) -> nn.Module:
    """On a vector; maps have been flattened before (see `network.chain`)."""
    if neurons is None:
        neurons = place.classes if place.after is None else HIDDEN
    layer = nn.Linear(place.channels, neurons, bias=place.bias)
    if place.after in ("relu", "leaky_relu"):  # half of the signal is lost there, and PyTorch's start lets it fade
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


def _flatten(unit: Unit, place: Place) -> nn.Module:
    if place.open:
        raise unit.error(": a text has no fixed length; pool over time first, with gap, gmp, att or kmax3")
    return nn.Flatten()


def _whole(unit: Unit, place: Place) -> None:
    if place.open:
        raise unit.error(": it looks at a whole text, its padding included; bn and ln do not")


def _layer_norm(unit: Unit, place: Place) -> nn.Module:
    return LayerNorm(place.channels, each_place=place.open)


def _group_norm(unit: Unit, place: Place, groups: int) -> nn.Module:
    _whole(unit, place)
    return GroupNorm(groups, place.channels)


def _instance_norm(unit: Unit, place: Place) -> nn.Module:
    _whole(unit, place)
    return InstanceNorm(place.channels)


def _primary(unit: Unit, place: Place, kernel: Value, capsules: int, length: int) -> nn.Module:
    if place.open:
        raise unit.error(": capsules belong to places, and a text has no fixed length")
    one = sliding(unit, place, kernel, keeps=False, stride=2)
    return PrimaryCapsules(
        place.channels, capsules, length, one.kernel, stride=one.stride, padding=one.padding, dims=place.dims
    )


def _capsules(unit: Unit, place: Place, length: int, capsules: int | None) -> nn.Module:
    """Routing from the capsules below, which lie as [batch, capsules, length]."""
    return DynamicRouting(place.channels, place.sizes[0], place.classes if capsules is None else capsules, length)


def _lengths(unit: Unit, place: Place) -> nn.Module:
    return LogLength()


def _activation(name: str) -> Callable[..., nn.Module]:
    return lambda unit, place: ACTIVATIONS[name]()


SHARE = (Number("share", 0.5, "share"),)
SAYS = {
    "relu": "max(0, x)",
    "leaky_relu": "x, or 0.01 x below zero",
    "shifted_relu": "max(-1, x)",
    "tanh": "hyperbolic tangent",
    "sigmoid": "1 / (1 + exp(-x))",
    "softplus": "log(1 + exp(x))",
    "elu": "x, or exp(x) - 1 below zero",
    "learned_elu": "x, or a (exp(x) - 1) below zero, a learned",
    "gelu": "x times the normal distribution's Phi(x)",
    "silu": "x times its sigmoid",
}

OTHERS: dict[str, Word] = {
    "fc": Word(
        "fc512",
        f"fully connected; maps are flattened. Without a number, the classes where it is last, else {HIDDEN}",
        _fully_connected,
        (Number("number of neurons", None),),
        dims=ANYWHERE,
    ),
    "flatten": Word("flatten", "maps as one vector", _flatten),
    "primary": Word(
        "primary9-32-8/2",
        "primary capsules: kernel, kinds of capsules, their length",
        _primary,
        (Number("kernel", 9, "size"), Number("number of capsules", 32), Number("length", 8)),
        ("same", "valid", "p", "floor"),
        strides=True,
    ),
    "caps": Word(
        "caps16",
        "dynamic routing from capsules to one of length 16 for each class; `caps16-32` to 32 of them",
        _capsules,
        (Number("length", 16), Number("number of capsules", None)),
        dims=(1,),
    ),
    "length": Word("length", "each capsule's length, as a logarithm: the logits", _lengths, dims=(1,)),
    "bn": Word("bn", "batch normalisation", lambda unit, place: BatchNorm(place.channels), dims=ANYWHERE),
    "ln": Word("ln", "layer normalisation; in texts, of each word by itself", _layer_norm, dims=ANYWHERE),
    "in": Word("in", "instance normalisation", _instance_norm),
    "gn": Word("gn32", "group normalisation in 32 groups", _group_norm, (Number("number of groups", 32),)),
    "lrn": Word(
        "lrn5",
        "local response normalisation over 5 channels",
        lambda unit, place, size: LocalResponseNorm(size),
        (Number("number of channels", 5),),
    ),
    "drop": Word("drop0.5", "dropout", lambda unit, place, share: Dropout(share), SHARE, dims=ANYWHERE),
    "sdrop": Word(
        "sdrop0.2", "spatial dropout: whole channels", lambda unit, place, share: SpatialDropout(share), SHARE
    ),
    "glu": Word("glu", "gated linear unit; it halves the channels", lambda unit, place: GLU(), dims=ANYWHERE),
    **{name: Word(name, SAYS[name], _activation(name), dims=ANYWHERE) for name in ACTIVATIONS},
}
