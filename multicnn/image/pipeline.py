"""Pictures: from a recipe to a reader and a network."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.architectures import build_image, fitting_size
from multicnn.blocks.classifier import Classifier
from multicnn.blocks.normalisation import stands_high_rates
from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.errors import InputError, UsageError
from multicnn.image.augment import ImageAugmentation
from multicnn.image.augment_mix import Mixing
from multicnn.image.frontend import ImageFrontEnd, channels_of
from multicnn.image.read import ImageFacts, ImageReader, auto_size, inspect
from multicnn.image.views import Views
from multicnn.image.weights import expected_weights
from multicnn.recipe import ImageRecipe, Recipe, check_mixing, fill, fill_training
from multicnn.recipe_sections import ImageAugment

# What mixes pictures and their classes.
MIXING = ("mixup", "cutmix")
# Enough pictures to know what the others are like.
SURVEYED = 256
# ResNet-9's channels in the first layer, half the usual: four times as fast.
CPU_WIDTH = 32
# Below this side a picture has no pixels to spare for a stem that halves it twice.
SMALL_SIDE = 64
# From here on pictures are resized anyhow, and so may be to what published weights were trained on.
PHOTOGRAPH_SIDE = 224


class ImagePipeline:
    """The image pipeline's side of `multicnn.pipeline.Pipeline`."""

    most_epochs = 200

    def __init__(self) -> None:
        self.notes: list[str] = []

    def settle(self, recipe: Recipe, examples: Examples, device: str) -> tuple[Recipe, ImageReader]:
        """Sees a few pictures and settles size, colours, network, augmentation and training."""
        assert isinstance(recipe, ImageRecipe)
        recipe = recipe.model_copy(deep=True)
        facts = survey(examples)
        gray = all(one.mode in ("1", "L", "LA", "I;16", "I", "F") for one in facts)
        fill(recipe.image, color="gray" if gray else "rgb")
        height, width = _settle_network(recipe, facts, device)
        _settle_augment(recipe.augment, min(height, width), gray)
        _check_colours(recipe)
        read_as = "gray" if recipe.image.color == "gray" else "rgb"  # the graph converts to all others
        reader = ImageReader(height, width, read_as, recipe.image.resize, recipe.image.interpolation)
        return recipe, reader

    def settle_training(self, recipe: Recipe, count: int, network: nn.Module, gentle: bool) -> None:
        """Many epochs for few pictures; a gentle rate for weights that know such data already, a high one for ResNet-9.

        The rates were tried on a validation part of CIFAR-10.
        """
        assert isinstance(recipe, ImageRecipe)
        assert isinstance(recipe.image.size, tuple)
        check_mixing(recipe.training, str(network.loss), [key for key in MIXING if getattr(recipe.augment, key)])
        small = min(recipe.image.size) <= SMALL_SIDE
        batch_size = int(np.clip(2 ** round(np.log2(max(count, 1) / 50)), 8, 128 if small else 32))
        rate = 1e-2 if recipe.model.arch == "resnet9" else 4e-3 if stands_high_rates(network) else 5e-4
        fill_training(
            recipe.training,
            epochs=int(np.clip(round(1_500_000 / max(count, 1)), 15, 60)) // (3 if gentle else 1),
            batch_size=batch_size,
            lr=3e-4 if gentle else rate * batch_size / 128,
            weight_decay=0.05,
            label_smoothing=0.1,
            clip=0.0,
        )

    def network(self, recipe: Recipe, reader: Any, classes: int) -> Classifier:
        """Colour space, normalisation, the architecture that the recipe names, and the views of prediction."""
        assert isinstance(recipe, ImageRecipe)
        color = recipe.image.color
        channels = channels_of(color)
        size = (reader.height, reader.width)
        network = build_image(
            recipe.model.arch, classes=classes, channels=channels, size=size, options=recipe.model.options
        )
        views = Views(recipe.image.views) if recipe.image.views != "none" else None
        return Classifier(ImageFrontEnd([0.5] * channels, [0.25] * channels, color), network, views)

    def calibrate(self, model: Classifier, inputs: Tensor) -> None:
        """Sets the mean and the deviation of each channel, from pictures [batch, height, width, channels]."""
        assert isinstance(model.frontend, ImageFrontEnd)
        model.frontend.fit(inputs)

    def augmentation(self, recipe: Recipe) -> "Augmenting":
        """Flips, shifts and the like, on the reader's batch; then mixtures of its pictures."""
        assert isinstance(recipe, ImageRecipe)
        settings = recipe.augment.model_dump(exclude={"randaugment", "mixup", "cutmix"})
        policy = recipe.augment.randaugment
        return Augmenting(
            ImageAugmentation(**settings, randaugment=(policy.n, policy.m)),
            Mixing(recipe.augment.mixup, recipe.augment.cutmix),
        )


class Augmenting:
    """Augmentation of the reader's batch; what the front end gives stays as it is."""

    def __init__(self, augmentation: ImageAugmentation, mixing: Mixing) -> None:
        self.augmentation = augmentation
        self.mixing = mixing

    def inputs(self, x: Tensor, generator: torch.Generator, turn: Tensor | None = None) -> Tensor:
        """Pictures, [batch, height, width, channels]."""
        changed: Tensor = self.augmentation(x, generator, turn)
        return changed

    def mix(self, x: Tensor, truth: Tensor, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures, [batch, height, width, channels], and their classes."""
        mixed: tuple[Tensor, Tensor] = self.mixing(x, truth, classes, generator)
        return mixed

    def features(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Unchanged."""
        return x


def survey(examples: Sequence[Example]) -> list[ImageFacts]:
    """What an evenly spread few of the pictures are like; the broken ones are passed over.

    Raises:
        UsageError: none of them can be read.
    """
    step = max(1, len(examples) // SURVEYED)
    facts, reasons = [], []
    for example in islice(examples, 0, None, step):
        try:
            facts.append(inspect(example.load()))
        except InputError as error:
            reasons.append(f"{example.name}: {error}")
    if not facts:
        raise UsageError(f"none of the pictures can be read; the first: {reasons[0]}")
    return facts


def _settle_network(recipe: ImageRecipe, facts: Sequence[ImageFacts], device: str) -> tuple[int, int]:
    """Settles network, size and interpolation, which depend on each other.

    On a CPU a narrow network learns more in its time. Weights that are to be had bring their size and interpolation.
    """
    wanted = recipe.image.size
    size = (wanted, wanted) if isinstance(wanted, int) else wanted
    auto = size == "auto"
    if size == "auto":
        size = auto_size([(one.height, one.width) for one in facts])
    if recipe.model.arch == "auto":
        small = min(size) <= SMALL_SIDE
        recipe.model.arch = "resnet9" if small else "resnet18"
        if small and device == "cpu":
            recipe.model.options.setdefault("width", CPU_WIDTH)
    weights = expected_weights(recipe.model.arch, recipe.model.weights) if min(size) >= PHOTOGRAPH_SIDE else None
    if auto and weights:
        size = (weights.crop, weights.crop)
    fill(recipe.image, interpolation=weights.interpolation if weights else "bilinear")
    if auto:
        size = fitting_size(recipe.model.arch, size, options=recipe.model.options)
    recipe.image.size = size
    return size


def _settle_augment(augment: ImageAugment, side: int, gray: bool) -> None:
    """Photographs stand being mirrored, digits and letters (grey, small) do not; all stand a shift by an eighth."""
    fill(augment, flip=not (gray and side <= SMALL_SIDE), crop=side // 8)


def _check_colours(recipe: ImageRecipe) -> None:
    """
    Raises:
        UsageError: colours are to be changed where there are none.
    """
    for key in ("saturation", "hue"):
        if getattr(recipe.augment, key) and recipe.image.color == "gray":
            raise UsageError(f"augment.{key} has no effect on grey pictures; leave it out, or set image.color=rgb")
