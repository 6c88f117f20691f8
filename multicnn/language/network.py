"""A network from a pattern, for pictures, spectrograms and waveforms."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.capsule import DynamicRouting
from multicnn.blocks.convolution import Convolution, Padding
from multicnn.language.chain import Link, chain
from multicnn.language.parse import parse
from multicnn.language.place import Place


class PatternNetwork(Backbone):
    """What a pattern describes; its layers are named by their words: `features.conv1`, `head.fc1`.

    Args:
        pattern: such as `[[conv3-64 bn relu]*2 pool2]*3 [fc512 relu drop0.5]*1 fc`; docs/language.md.
        classes: how many there are.
        channels: of the input.
        size: the input's, a number for each axis.
        rounds: for each axis, whether a window that does not come out whole is rounded down, as along time.
        variables: what names in the pattern stand for.

    Raises:
        PatternError: the pattern cannot be read, or a layer does not fit where it stands.
    """

    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        pattern: str,
        classes: int,
        channels: int,
        size: Sequence[int],
        *,
        rounds: Sequence[bool] | None = None,
        variables: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        units = parse(pattern, {**(variables or {}), "classes": classes})
        rounds = tuple(rounds or (False,) * len(size))
        links = chain(units, Place(channels, tuple(size), rounds, open=False, classes=classes))
        features, head = split(links)
        self.features = nn.Sequential(OrderedDict((link.name, link.module) for link in features))
        self.head = nn.Sequential(OrderedDict((link.name, link.module) for link in head))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""
        reset_last(self, classes)


def split(links: Sequence[Link]) -> tuple[list[Link], list[Link]]:
    """What finds features, and what decides about them: all from the first layer on that gives a vector."""
    first = next(i for i, link in enumerate(links) if link.vector)
    return list(links[:first]), list(links[first:])


def reset_last(network: nn.Module, classes: int) -> None:
    """Puts a fresh layer in place of the last one that has weights, with other outputs.

    Args:
        network: built from a pattern; its last layer with weights gives the classes.
        classes: how many there are.
    """
    weighted = nn.Linear | Convolution | DynamicRouting
    name, old = [pair for pair in network.named_modules() if isinstance(pair[1], weighted)][-1]
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, _with_outputs(old, classes))


def _with_outputs(old: nn.Module, outputs: int) -> nn.Module:
    if isinstance(old, nn.Linear):
        return nn.Linear(old.in_features, outputs, bias=old.bias is not None)
    if isinstance(old, DynamicRouting):
        below, _, length, length_below = old.weight.shape
        return DynamicRouting(below, length_below, outputs, length, iterations=old.iterations)
    assert isinstance(old, Convolution)
    padding: Padding = "same" if old.padding is None else old.padding
    return Convolution(
        old.weight.shape[1] * old.groups,
        outputs,
        old.kernel,
        dims=old.dims,
        stride=old.stride,
        padding=padding,
        dilation=old.dilation,
        groups=old.groups,
        bias=old.bias is not None,
        padding_mode=old.padding_mode,
    )
