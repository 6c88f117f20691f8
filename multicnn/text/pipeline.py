"""Texts: from a recipe to a vocabulary, a reader and a network."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.architectures import build_text
from multicnn.blocks.classifier import Classifier
from multicnn.data.example import Example
from multicnn.errors import InputError, UsageError
from multicnn.recipe import Recipe, TextRecipe, fill, fill_training
from multicnn.text.augment import TextAugmentation
from multicnn.text.read import TextReader, decode
from multicnn.text.tokenize import tokenize
from multicnn.text.vocabulary import build_vocabulary

# A text is cut where 99 of 100 are shorter, and never behind so many tokens.
LONGEST = 1000
# TextCNN's largest window: a text is padded to at least as much.
SHORTEST = 5


class TextPipeline:
    """The text pipeline's side of `multicnn.pipeline.Pipeline`."""

    most_epochs = 20

    def settle(self, recipe: Recipe, examples: Sequence[Example], device: str) -> tuple[Recipe, TextReader]:
        """Reads the training texts and settles the vocabulary and the length."""
        assert isinstance(recipe, TextRecipe)
        recipe = recipe.model_copy(deep=True)
        tokens = list(_tokens(examples, recipe.text.tokenizer))
        if not tokens:
            raise UsageError("none of the texts can be read, or all are empty")
        fill(
            recipe.text,
            max_length=int(np.clip(2 * np.percentile([len(one) for one in tokens], 99), 2 * SHORTEST, LONGEST)),
        )
        fill(recipe.model, arch="textcnn")
        words = build_vocabulary(tokens, recipe.text.vocabulary.min_count, recipe.text.vocabulary.max_size)
        return recipe, TextReader(recipe.text.tokenizer, words, int(recipe.text.max_length), SHORTEST)

    def settle_training(self, recipe: Recipe, count: int, network: nn.Module, pretrained: bool) -> None:
        """Few epochs: a network over words learns its training texts by heart soon."""
        fill_training(
            recipe.training,
            epochs=12,
            batch_size=int(np.clip(2 ** round(np.log2(max(count, 1) / 100)), 8, 64)),
            lr=1e-3,
            weight_decay=0.05,
            label_smoothing=0.1,
            clip=0.0,
        )

    def network(self, recipe: Recipe, reader: Any, classes: int) -> Classifier:
        """The architecture that the recipe names, over the reader's vocabulary."""
        network = build_text(
            recipe.model.arch, classes=classes, vocabulary_size=len(reader.vocabulary) + 2, options=recipe.model.options
        )
        return Classifier(nn.Identity(), network)

    def calibrate(self, model: Classifier, inputs: Tensor) -> None:
        """Nothing to set: words have no mean."""

    def augmentation(self, recipe: Recipe) -> "Augmenting":
        """Words that become unknown ones."""
        assert isinstance(recipe, TextRecipe)
        return Augmenting(TextAugmentation(recipe.augment.word_dropout))


class Augmenting:
    """Augmentation of token numbers."""

    def __init__(self, words: TextAugmentation) -> None:
        self.words = words

    def inputs(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Token numbers, [batch, tokens]."""
        changed: Tensor = self.words(x, generator)
        return changed

    def features(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Unchanged."""
        return x


def _tokens(examples: Sequence[Example], mode: str) -> Iterator[list[str]]:
    for example in examples:
        try:
            yield tokenize(decode(example.load()), mode)
        except InputError:
            continue  # named when it is read for training
