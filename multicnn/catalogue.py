"""The catalogue as people read it: what there is, how large it is, what it costs."""

import inspect
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

from multicnn.architectures import (
    AUDIO,
    OTHERS,
    TABLE,
    TAGGERS,
    build_audio,
    build_image,
    build_tagger,
    build_text,
    text_class,
)
from multicnn.errors import UsageError, did_you_mean
from multicnn.language.tree import is_pattern

if TYPE_CHECKING:
    from torch import Tensor, nn

    from multicnn.blocks.layers import Layer

# ImageNet; MNIST, CIFAR-10; good or bad; O, and B and I of the four types of CoNLL-2003.
CLASSES = {"photographs": 1000, "small pictures": 10, "texts": 2, "words": 9}
TABLES = TABLE | {"tokens": TAGGERS}
SMALL = 64  # pixels
PATTERN_INPUT = (3, 32, 32)  # CIFAR-10's
VOCABULARY = 20_000
CHARACTERS = 97  # those of ASCII that can be seen, padding and the unknown one
WORD_LENGTH = 20  # characters that are seen of a word that is tagged
TIMED_RUNS = 7
AUXILIARY = re.compile(r"(^|\.)aux", re.IGNORECASE)  # heads that only training uses


@dataclass(frozen=True, slots=True)
class Entry:
    """One architecture of the catalogue.

    Attributes:
        name: as `--arch` takes it.
        pipelines: which of image, audio, text and tokens have it.
        input: its paper's: channels and size, the number of tokens, or of words around the one that is tagged.
        classes: its paper's.
        parameters: at that input and with so many classes, without auxiliary heads; texts with a vocabulary of 20,000,
            or their paper's alphabet.
        idea: what is new in it, in a sentence.
    """

    name: str
    pipelines: tuple[str, ...]
    input: tuple[int, ...]
    classes: int
    parameters: int
    idea: str


@dataclass(frozen=True, slots=True)
class Account:
    """A network on one input, layer by layer.

    Attributes:
        name: the architecture.
        input: channels and size, or the number of tokens or words.
        classes: how many there are.
        parameters: all of them but the auxiliary heads'.
        layers: those that run in use.
    """

    name: str
    input: tuple[int, ...]
    classes: int
    parameters: int
    layers: "list[Layer]"

    def total(self, what: str) -> int:
        """The sum over all layers of one of their figures."""
        return sum(getattr(layer, what) for layer in self.layers)

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """That of the last layer that has places."""
        return next((layer.receptive_field for layer in reversed(self.layers) if layer.fields), None)


def entries(pipeline: str | None = None) -> list[Entry]:
    """The catalogue, or one pipeline's part of it.

    Raises:
        UsageError: no such pipeline.
    """
    if pipeline is not None and pipeline not in TABLES:
        raise UsageError(f"there is no pipeline {pipeline}{did_you_mean(pipeline, TABLES) or ': ' + ', '.join(TABLES)}")
    return [_entry(name) for name in _pipelines() if pipeline is None or pipeline in _pipelines()[name]]


def architecture_class(name: str) -> Any:
    """The class behind a name of the table."""
    module, attribute = next(table[name] for table in TABLES.values() if name in table).split(":")
    return getattr(import_module(module), attribute)


def idea(kind: type) -> str:
    """The sentence after `The idea:` in a class's docstring or its base's; else its docstring's first line."""
    for one in kind.__mro__:
        found = re.search(r"The\s+idea:\s(.*?[.:])(\s|$)", inspect.cleandoc(one.__doc__ or ""), re.DOTALL)
        if found:
            sentence = " ".join(found[1].split()).rstrip(":.")
            return f"{sentence[0].upper()}{sentence[1:]}."
    return (kind.__doc__ or "").strip().partition("\n")[0]


def parse_input(text: str) -> tuple[int, ...]:
    """`3x224x224` to (3, 224, 224).

    Raises:
        UsageError: anything else.
    """
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
        raise UsageError(f"an input is like 3x224x224, 224x224, 1x8000 or 8000 samples, or 56 tokens, not {text}")
    return tuple(map(int, text.split("x")))


def account(
    name: str, shape: tuple[int, ...] | None = None, classes: int | None = None, vocabulary: int | None = None
) -> Account:
    """Builds a network without its weights and works out what it costs.

    Args:
        name: an architecture.
        shape: [channels, height, width], [channels, samples], either without the channels, [tokens], or [words] around
            the one that is tagged; None for its paper's.
        classes: how many; None for its paper's.
        vocabulary: how many words or characters there are, for texts; None for its paper's alphabet, else 20,000.

    Raises:
        UsageError: no such architecture, or an input that it does not take.
    """
    import torch

    from multicnn.blocks.layers import layer_table

    shape, classes = full_input(name, shape), classes or classes_of(name)
    with torch.device("cpu" if ":" in name else "meta"):  # some of the other libraries' look at values
        network = build(name, shape, classes, vocabulary)
    try:
        layers = layer_table(network, example(name, shape))
    except (RuntimeError, ValueError) as error:
        raise UsageError(refusal(name, shape, error)) from error
    return Account(name, shape, classes, lasting_parameters(network), layers)


def build(name: str, shape: tuple[int, ...], classes: int, vocabulary: int | None = None) -> "nn.Module":
    """Builds a network for a full input."""
    if name in TAGGERS:
        words = vocabulary or VOCABULARY
        return build_tagger(name, classes=classes, words=words, characters=CHARACTERS, window=shape[0])
    if _is_text(name, shape):
        return build_text(name, classes=classes, vocabulary_size=vocabulary or _own_vocabulary(name), length=shape[0])
    channels, *size = shape
    if name in AUDIO or (is_pattern(name) and len(size) == 1):
        return build_audio(name, classes=classes, channels=channels, size=tuple(size))
    return build_image(name, classes=classes, channels=channels, size=tuple(size))  # type: ignore[arg-type]


def full_input(name: str, shape: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Puts in what an input leaves out: all of it, or the channels.

    Raises:
        UsageError: no such architecture, or another number of axes than it takes.
    """
    own = _own_input(name)
    if shape is None or len(shape) == len(own) or is_pattern(name):
        return shape or own
    if len(shape) == len(own) - 1:
        return own[:1] + shape
    raise UsageError(f"{name} takes an input like {'x'.join(map(str, own))}, not {'x'.join(map(str, shape))}")


def example(name: str, shape: tuple[int, ...], vocabulary: int | None = None) -> "Tensor":
    """One example of that input: noise, or some words, in turn and without the padding."""
    import torch

    if name in TAGGERS:
        return torch.ones(1, shape[0], 1 + WORD_LENGTH, dtype=torch.int32)
    if _is_text(name, shape):
        return 1 + torch.arange(shape[0])[None] % ((vocabulary or _own_vocabulary(name)) - 1)
    return torch.randn(1, *shape)


def lasting_parameters(network: "nn.Module") -> int:
    """All parameters but those of auxiliary heads, which only training uses."""
    return sum(parameter.numel() for key, parameter in network.named_parameters() if not AUXILIARY.search(key))


def seconds_per_example(network: "nn.Module", one: "Tensor") -> float:
    """How long a network takes for one example in use, on the CPU: the median of several runs after a first one."""
    import torch

    times = []
    network.eval()
    with torch.inference_mode():
        for _ in range(TIMED_RUNS + 1):
            begin = time.perf_counter()
            network(one)
            times.append(time.perf_counter() - begin)
    return median(times[1:])


def largest(layers: "Iterable[Layer]", what: str, count: int = 3) -> "list[Layer]":
    """The layers with the most of something, the first of equals first."""
    found = sorted(layers, key=lambda layer: -getattr(layer, what))[:count]
    return [layer for layer in found if getattr(layer, what)]


def _pipelines() -> dict[str, tuple[str, ...]]:
    """Each name of the table, and the pipelines that have it."""
    every = dict.fromkeys(name for table in TABLES.values() for name in table)
    return {name: tuple(kind for kind, table in TABLES.items() if name in table) for name in every}


def _entry(name: str) -> Entry:
    import torch

    shape, classes, kind = _own_input(name), classes_of(name), architecture_class(name)
    with torch.device("meta"):
        network = build(name, shape, classes)
    return Entry(name, _pipelines()[name], shape, classes, lasting_parameters(network), idea(kind))


def _is_text(name: str, shape: tuple[int, ...]) -> bool:
    """A pattern is for texts where its input is a number of tokens."""
    return name in TABLE["text"] or (is_pattern(name) and len(shape) == 1)


def _own_vocabulary(name: str) -> int:
    return text_class(name).own_vocabulary or VOCABULARY


def classes_of(name: str) -> int:
    """As many as the data of its paper has."""
    if name in TABLE["text"] or name in TAGGERS:
        return CLASSES["words" if name in TAGGERS else "texts"]
    if is_pattern(name):
        return CLASSES["small pictures"]
    if name in AUDIO:
        return int(architecture_class(name).own_classes)
    return CLASSES["small pictures" if max(_own_input(name)[1:]) < SMALL else "photographs"]


def _own_input(name: str) -> tuple[int, ...]:
    """Channels and size, or the number of tokens or words."""
    if is_pattern(name):
        return PATTERN_INPUT
    library, colon, short = name.partition(":")
    if colon and library in OTHERS:
        theirs = import_module(OTHERS[library])
        if short not in theirs.names():
            raise UsageError(f"{library} has no classifier {short}{did_you_mean(short, theirs.names())}")
        return 3, *theirs.own_size(short)
    if name not in _pipelines():
        raise UsageError(
            f"there is no architecture {name}{did_you_mean(name, _pipelines()) or '; multicnn arch list shows them'}"
        )
    kind = architecture_class(name)
    size: tuple[int, ...] = kind.own_size
    return (
        size
        if name in TABLE["text"] or name in TAGGERS
        else (inspect.signature(kind).parameters["channels"].default, *size)
    )


def refusal(name: str, shape: tuple[int, ...], error: Exception) -> str:
    own = "x".join(map(str, _own_input(name)))
    first = str(error).partition("\n")[0]
    return f"{name} does not take an input of {'x'.join(map(str, shape))} (its own is {own}): {first}"
