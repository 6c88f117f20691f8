"""From the layers of a pattern to modules, one after the other, each built for what the one before it gives."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from multicnn.blocks.arithmetic import in_mode, run_on_meta
from multicnn.blocks.pooling import KMaxPool
from multicnn.blocks.pooling_dynamic_k import DynamicKMaxPool
from multicnn.blocks.pooling_regions import SequenceRegionPool
from multicnn.errors import did_you_mean
from multicnn.language.place import Place
from multicnn.language.tree import PatternError, Unit
from multicnn.language.vocabulary import VOCABULARY


@dataclass(frozen=True, slots=True)
class Link:
    """One module of a chain.

    Attributes:
        name: its word and a number, `conv2`.
        module: the layer.
        channels: that it gives.
        open: whether it works along a time of no fixed length.
        vector: whether it gives a vector, [batch, channels].
    """

    name: str
    module: nn.Module
    channels: int
    open: bool
    vector: bool


def chain(units: Sequence[Unit], place: Place) -> list[Link]:
    """Builds the layers.

    Args:
        units: from `parse`.
        place: what the first of them gets.

    Raises:
        PatternError: a word that there is not, a layer that does not fit where it stands, or an end that gives no
            classes.
    """
    units = _last_keeps_k(units)
    links: list[Link] = []
    counts: Counter[str] = Counter()
    for unit, after in zip(units, [*units[1:], None], strict=True):
        here = dataclasses.replace(place, after=after.word if after else None)
        try:
            steps = _layers(unit, here)
        except PatternError:
            if unit.optional:
                continue
            raise
        for word, module, before, behind in steps:
            counts[word] += 1
            links.append(Link(f"{word}{counts[word]}", module, behind.channels, before.open, not behind.dims))
            place = behind
    _settle_dynamic_pools(links)
    _check_end(units[-1], place)
    return links


def _layers(unit: Unit, place: Place) -> list[tuple[str, nn.Module, Place, Place]]:
    """A layer with its place and what is behind it; before a fully connected one, maps are flattened."""
    steps = []
    for word in ("flatten", "fc") if unit.word == "fc" and place.dims else (unit.word,):
        module = _word(unit, word).layer(unit if word == unit.word else _bare(unit), place)
        behind = _behind(unit, place, module)
        steps.append((word, module, place, behind))
        place = dataclasses.replace(behind, after=place.after)
    return steps


def _word(unit: Unit, word: str) -> Any:
    if word not in VOCABULARY:
        near = did_you_mean(word, VOCABULARY) or "; docs/language.md lists the words"
        raise unit.error(f": there is no layer {word}{near}")
    return VOCABULARY[word]


def _bare(unit: Unit) -> Unit:
    return dataclasses.replace(unit, values=(), stride=None, modifiers={})


def _behind(unit: Unit, place: Place, module: nn.Module) -> Place:
    """The place behind a module, found on shapes alone."""
    given = torch.empty(2, place.channels, *place.sizes, device="meta")
    try:
        with in_mode(module, training=False), torch.no_grad():
            output: Any = run_on_meta(module, given)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise unit.error(f" does not fit {place.shape()}: {reason}") from None
    shape = tuple((output[0] if isinstance(output, tuple) else output).shape)
    if 0 in shape:
        raise unit.error(f" leaves nothing of {place.shape()}")
    return Place(
        channels=shape[1],
        sizes=shape[2:],
        rounds=place.rounds if len(shape) == len(place.sizes) + 2 else (False,) * len(shape[2:]),
        open=place.open and len(shape) > 2 and not isinstance(module, KMaxPool | SequenceRegionPool),
        classes=place.classes,
        shrunk=_shrunk(place, shape),
    )


def _shrunk(place: Place, shape: tuple[int, ...]) -> bool:
    """Whether maps have become smaller since the channels last changed."""
    smaller = any(new < old for new, old in zip(shape[2:], place.sizes, strict=False))
    return smaller or (place.shrunk and shape[1] == place.channels)


def _last_keeps_k(units: Sequence[Unit]) -> list[Unit]:
    """The last dynamic k-max pooling has l = L, so it is a k-max pooling, whatever the length."""
    last = max((i for i, unit in enumerate(units) if unit.word == "dkmax"), default=-1)
    return [dataclasses.replace(unit, word="kmax") if i == last else unit for i, unit in enumerate(units)]


def _settle_dynamic_pools(links: list[Link]) -> None:
    """Tells each dynamic k-max pooling which one of how many it is."""
    dynamic = [link.module for link in links if isinstance(link.module, DynamicKMaxPool)]
    for number, pool in enumerate(dynamic, start=1):
        pool.layer, pool.layers = number, len(dynamic) + 1


def _check_end(last: Unit, place: Place) -> None:
    if place.dims or place.channels != place.classes:
        told = f"the pattern ends with {place.shape()} and not with a number for each of the {place.classes} classes"
        end = "gap fc" if place.dims else "fc"
        raise PatternError(f"{told}; put {end} behind it", last.pattern, last.start, last.end)
