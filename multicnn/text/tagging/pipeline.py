"""Tags for words: from a recipe to vocabulary, alphabet, reader and network."""

from collections import Counter
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.architectures import build_tagger
from multicnn.blocks.classifier import Classifier
from multicnn.data.examples import Examples
from multicnn.data.word import Word
from multicnn.recipe import Recipe, TokensRecipe, fill, fill_training
from multicnn.text.augment import TextAugmentation
from multicnn.text.pretrained import Pretrained, further_words, settle_vectors
from multicnn.text.tagging.network import TagCNN
from multicnn.text.tagging.read import FIRST, WordReader
from multicnn.text.vectors import open_vectors
from multicnn.text.vocabulary import build_vocabulary


class TaggingPipeline:
    """Tagging's side of `multicnn.pipeline.Pipeline`; an example is a word in its sentence."""

    most_epochs = 20

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.pretrained: Pretrained | None = None

    def settle(self, recipe: Recipe, examples: Examples, device: str) -> tuple[Recipe, WordReader]:
        """Counts words and characters, and reads the vectors."""
        assert isinstance(recipe, TokensRecipe)
        recipe = recipe.model_copy(deep=True)
        fill(recipe.model, arch="tagcnn")
        as_written = [example.content for example in examples if isinstance(example.content, Word)]
        words = Counter(word.lower() for word in as_written)
        vocabulary = build_vocabulary(words, recipe.text.vocabulary.min_count, recipe.text.vocabulary.max_size)
        if path := recipe.text.vectors:
            vectors = open_vectors(path)
            further = [word for word in further_words(vectors, vocabulary, "whitespace") if word == word.lower()]
            self.pretrained, told = settle_vectors(
                recipe.model.options, vectors, vocabulary, words, path, further=further
            )
            self.notes.append(told)
            vocabulary += further
        alphabet = build_vocabulary(Counter(chain.from_iterable(as_written)))
        return recipe, WordReader(vocabulary, alphabet, recipe.text.window, recipe.text.word_length)

    def settle_training(self, recipe: Recipe, count: int, network: nn.Module, gentle: bool) -> None:
        """Small batches, for the words that matter are few."""
        fill_training(
            recipe.training,
            epochs=10,
            batch_size=int(np.clip(2 ** round(np.log2(max(count, 1) / 400)), 16, 256)),
            lr=2e-3,
            weight_decay=0.05,
            label_smoothing=0.0,
            clip=0.0,
        )

    def network(self, recipe: Recipe, reader: Any, classes: int) -> Classifier:
        """The architecture that the recipe names, with the vectors that were read."""
        network = build_tagger(
            recipe.model.arch,
            classes=classes,
            words=len(reader.vocabulary) + FIRST,
            characters=len(reader.alphabet) + FIRST,
            window=reader.window,
            options=recipe.model.options,
        )
        if self.pretrained:
            assert isinstance(network, TagCNN)
            network.features.embedding.set_vectors(self.pretrained.matrix, self.pretrained.known)
        return Classifier(nn.Identity(), network)

    def calibrate(self, model: Classifier, inputs: Tensor) -> None:
        """Nothing to set: words have no mean."""

    def augmentation(self, recipe: Recipe) -> "WordDropout":
        """Words that become unknown ones."""
        assert isinstance(recipe, TokensRecipe)
        return WordDropout(recipe.augment.word_dropout)


class WordDropout:
    """Words that become unknown ones, so that unknown ones are learned to be told by spelling and neighbours.

    Args:
        share: of the words.
    """

    def __init__(self, share: float) -> None:
        self.words = TextAugmentation(word_dropout=share)

    def inputs(self, x: Tensor, generator: torch.Generator, turn: Tensor | None = None) -> Tensor:
        """Windows, int32 [batch, window, 1 + characters]; the characters stay."""
        return torch.cat([self.words(x[:, :, 0], generator)[:, :, None], x[:, :, 1:]], dim=2)

    def mix(self, x: Tensor, truth: Tensor, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Unchanged."""
        return x, truth

    def features(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Unchanged."""
        return x
