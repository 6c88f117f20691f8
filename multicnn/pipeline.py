"""What the pipelines have in common, and the table of them."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:  # prediction imports neither torch nor pydantic
    import torch
    from torch import Tensor, nn

    from multicnn.blocks.classifier import Classifier
    from multicnn.data.example import Content, Example
    from multicnn.data.examples import Examples
    from multicnn.data.ragged import Ragged
    from multicnn.recipe import Recipe

Kind = Literal["image", "audio", "text", "tokens"]

READERS = {
    "image": "multicnn.image.read:ImageReader",
    "audio": "multicnn.audio.read:AudioReader",
    "text": "multicnn.text.read:TextReader",
    "tokens": "multicnn.text.tagging.read:WordReader",
}


class Reader(Protocol):
    """From a file's bytes, or a text, to the array that the graph takes. Never imports torch."""

    @property
    def windows(self) -> bool:
        """Whether what is too long is cut into overlapping windows, each of which is learned from and answered."""
        ...

    def read(self, content: "Content") -> np.ndarray:
        """Reads one example.

        Raises:
            InputError: the content is empty, broken or of a kind that cannot be read.
        """
        ...

    def cut(self, example: "Example", training: bool = False) -> "list[Example]":
        """What is read of an example one by one, and whose probabilities are averaged: mostly the example itself.

        Args:
            example: as the data set has it.
            training: whether there may be more to choose from.
        """
        ...

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """One batch, [batch, ...], from single examples; texts are padded with 0 to the longest."""
        ...

    def settings(self) -> dict[str, Any]:
        """What the bundle stores; `type(reader)(**settings)` gives the reader back."""
        ...


@runtime_checkable
class ManyReader(Protocol):
    """A reader of texts, which is much quicker with many at once."""

    @property
    def windows(self) -> bool:
        """As for `Reader`; where it is so, the windows are to be read one by one."""
        ...

    def read_many(self, texts: Sequence[str]) -> "tuple[Ragged, dict[int, str]]":
        """Each as `Reader.read` reads it.

        Args:
            texts: at least one.

        Returns:
            What was read, and why some are empty, by their places.
        """
        ...


def load_reader(kind: str, settings: dict[str, Any]) -> Reader:
    """The reader of a stored model, from what its bundle says.

    Args:
        kind: image, audio, text or tokens.
        settings: the bundle's `reader` section.
    """
    module, name = READERS[kind].split(":")
    reader: Reader = getattr(import_module(module), name)(**settings)
    return reader


class Augmentation(Protocol):
    """What is done to training examples only: to the reader's batch, or to what the front end makes of it."""

    def inputs(self, x: "Tensor", generator: "torch.Generator", turn: "Tensor | None" = None) -> "Tensor":
        """Changes a reader's batch, on its device, each example in its own way.

        Args:
            x: the batch.
            generator: where the chances come from.
            turn: for what is done to each example in every other epoch: whether this is the one, [batch].
        """
        ...

    def mix(self, x: "Tensor", truth: "Tensor", classes: int, generator: "torch.Generator") -> "tuple[Tensor, Tensor]":
        """Mixes the examples of a batch, after `inputs`.

        Args:
            x: the batch.
            truth: classes, [batch].
            classes: how many there are.
            generator: where the chances come from.

        Returns:
            The batch, and what each class has of each example, [batch, classes]; or both as they were.
        """
        ...

    def features(self, x: "Tensor", generator: "torch.Generator") -> "Tensor":
        """Changes what the front end gives, each example in its own way."""
        ...


class Pipeline(Protocol):
    """What training asks of a pipeline."""

    most_epochs: int
    notes: list[str]  # what is worth saying of the settled data

    def settle(self, recipe: "Recipe", examples: "Examples", device: str) -> "tuple[Recipe, Reader]":
        """Puts values in the place of every `auto` but those of training, from the examples, and builds the reader.

        Args:
            recipe: as it was asked for; a settled copy is returned.
            examples: the training part.
            device: where it will train (`cpu`, `cuda`, `mps`): it decides how large a network is affordable.
        """
        ...

    def settle_training(self, recipe: "Recipe", count: int, network: "nn.Module", gentle: bool) -> None:
        """Puts values in the place of every `auto` in the training section.

        Args:
            recipe: changed in place.
            count: training examples.
            network: what will learn.
            gentle: whether the weights know data of this kind already and need move little.
        """
        ...

    def network(self, recipe: "Recipe", reader: Reader, classes: int) -> "Classifier":
        """The model that a settled recipe describes, with random weights."""
        ...

    def calibrate(self, model: "Classifier", inputs: "Tensor") -> None:
        """Sets the front end's mean and deviation from training examples, a reader's batch."""
        ...

    def augmentation(self, recipe: "Recipe") -> Augmentation:
        """What a settled recipe's `augment` section asks for."""
        ...


PIPELINES = {
    "image": "multicnn.image.pipeline:ImagePipeline",
    "audio": "multicnn.audio.pipeline:AudioPipeline",
    "text": "multicnn.text.pipeline:TextPipeline",
    "tokens": "multicnn.text.tagging.pipeline:TaggingPipeline",
}


def load_pipeline(kind: str) -> Pipeline:
    """The pipeline of that name."""
    module, name = PIPELINES[kind].split(":")
    pipeline: Pipeline = getattr(import_module(module), name)()
    return pipeline
