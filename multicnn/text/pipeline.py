"""Texts: from a recipe to a vocabulary, a reader and a network."""

import math
from collections import Counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.architectures import build_text, text_class
from multicnn.blocks.classifier import Classifier
from multicnn.data.decode import worker_count
from multicnn.data.examples import Examples
from multicnn.errors import UsageError
from multicnn.recipe import Recipe, TextRecipe, check_mixing, fill, fill_training
from multicnn.text.architectures.embedding import WordVectors
from multicnn.text.architectures.text_backbone import TextBackbone
from multicnn.text.architectures.textcnn import TextCNN
from multicnn.text.architectures.textcnn_nb import TextCNNNB
from multicnn.text.augment import TextAugmentation, nearest_words
from multicnn.text.learn import enough_epochs, learn_vectors
from multicnn.text.pretrained import Pretrained, further_words, settle_vectors
from multicnn.text.read import FIRST_WORD, TextReader, starts
from multicnn.text.survey import Survey, survey
from multicnn.text.vectors import open_vectors
from multicnn.text.vocabulary import build_vocabulary

# The value of text.vectors that is no file.
FROM_TRAINING_TEXTS = "train"
# A text is cut where 99 of 100 are shorter, and never behind so many tokens.
LONGEST = 1000
# A text is padded to at least so many tokens: TextCNN's largest window.
SHORTEST = 5
HIGHEST_RATE = 8e-3
# Each class weighs all n-grams of the training texts some 100 times: so many tokens times classes take about a minute.
MOST_WEIGHED = 50_000_000
# Weights of n-grams of two words: 32 MB.
MOST_WEIGHTS = 2**23


class TextPipeline:
    """The text pipeline's side of `multicnn.pipeline.Pipeline`."""

    most_epochs = 20

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.pretrained: Pretrained | None = None
        self._windows = 1.0
        self._counts = torch.zeros(FIRST_WORD)

    def settle(self, recipe: Recipe, examples: Examples, device: str) -> tuple[Recipe, TextReader]:
        """Reads the training texts and settles tokens, vocabulary, length and vectors."""
        assert isinstance(recipe, TextRecipe)
        recipe = recipe.model_copy(deep=True)
        default = recipe.model.arch == "auto"
        fill(recipe.model, arch="textcnn_nb")
        kind = text_class(recipe.model.arch)
        fill(recipe.text, tokenizer=kind.tokenizer)
        if recipe.text.vectors and not kind.word_vectors:
            raise UsageError(f"{recipe.model.arch} reads characters and takes no word vectors; leave out text.vectors")
        found = survey(examples.texts, recipe.text.tokenizer, worker_count(recipe.data.workers))
        lengths = found.texts.lengths
        fill(recipe.text, max_length=kind.own_size[0] if kind.fixed_length else _length(lengths, kind.own_size[0]))
        counts = found.counts()
        words = build_vocabulary(counts, recipe.text.vocabulary.min_count, recipe.text.vocabulary.max_size)
        words += self._settle_vectors(recipe, found, counts, words)
        self._counts = torch.tensor([0] * FIRST_WORD + [counts[word] for word in words])
        _settle_ngrams(recipe, found.tokens, len(examples.labels.occurring()), default)
        longest = int(recipe.text.max_length)
        shortest = longest if kind.fixed_length else SHORTEST
        unknown = "hash" if recipe.text.unknown == "hash" else "unk"
        text = recipe.text
        if text.truncate == "windows":
            self._windows = float(np.mean([len(starts(length, longest, text.overlap)) for length in lengths.tolist()]))
        return recipe, TextReader(text.tokenizer, words, longest, shortest, unknown, text.truncate, text.overlap)

    def _settle_vectors(self, recipe: TextRecipe, found: Survey, counts: Counter[str], words: list[str]) -> list[str]:
        """Reads or learns the vectors, if that is asked for; the network's vectors become as long as these.

        Args:
            recipe: changed in place.
            found: in the training texts.
            counts: how often each word occurs there.
            words: their vocabulary.

        Returns:
            Words that do not occur in the training texts and have a vector all the same.
        """
        path = recipe.text.vectors
        fill(recipe.text, vectors_mode="nonstatic" if path else "rand", unknown="unk")
        fill(recipe.text, extend_vocabulary=recipe.text.vectors_mode == "static")
        fill(recipe.text.embed, epochs=enough_epochs(found.tokens))
        if not path:
            return []
        learned = path == FROM_TRAINING_TEXTS
        if learned:
            vectors = learn_vectors(found.token_lists(), recipe.text.embed, seed=recipe.training.seed)
        else:
            vectors = open_vectors(path)
        source = "the vectors of the training texts" if learned else path
        further = further_words(vectors, words, recipe.text.tokenizer) if recipe.text.extend_vocabulary else []
        unknown = recipe.text.unknown == "vector"
        self.pretrained, told = settle_vectors(
            recipe.model.options, vectors, words, counts, source, further=further, unknown=unknown
        )
        self.notes.append(told)
        return further

    def settle_training(self, recipe: Recipe, count: int, network: nn.Module, gentle: bool) -> None:
        """Few epochs: a network over words learns its training texts by heart soon. Beside n-grams, MR, SST-2 and TREC
        gained nothing after the sixth (tried on inner parts).

        Short vectors give small answers, and TextCNN's filters over them stand, and need, a higher rate (tried on
        validation parts, with 50, 100 and 300 numbers).
        """
        assert isinstance(recipe, TextRecipe)
        check_mixing(recipe.training, str(network.loss), ["mixup"] if recipe.augment.mixup else [])
        count = round(count * self._windows)
        fill_training(
            recipe.training,
            epochs=8 if isinstance(network, TextCNNNB) else 12,
            batch_size=int(np.clip(2 ** round(np.log2(max(count, 1) / 100)), 8, 64)),
            lr=min(0.3 / network.features.embedding.length, HIGHEST_RATE) if isinstance(network, TextCNN) else 1e-3,
            weight_decay=0.05,
            label_smoothing=0.1,
            clip=0.0,
        )

    def network(self, recipe: Recipe, reader: Any, classes: int) -> Classifier:
        """The architecture that the recipe names, over the reader's vocabulary, with the vectors that were read."""
        assert isinstance(recipe, TextRecipe)
        network = build_text(
            recipe.model.arch,
            classes=classes,
            vocabulary_size=len(reader.vocabulary) + FIRST_WORD,
            vectors=recipe.text.vectors_mode,
            length=reader.max_length,
            options=recipe.model.options,
        )
        assert isinstance(network, TextBackbone)
        network.mixup = recipe.augment.mixup
        if self.pretrained:
            vectors = network.features.embedding
            assert isinstance(vectors, WordVectors)
            vectors.set_vectors(self.pretrained.matrix, self.pretrained.known)
        return Classifier(nn.Identity(), network)

    def calibrate(self, model: Classifier, inputs: Tensor) -> None:
        """Nothing to set: words have no mean."""

    def augmentation(self, recipe: Recipe) -> "Augmenting":
        """Words that become unknown ones, others, or change places."""
        assert isinstance(recipe, TextRecipe)
        rows, settings = self.pretrained, recipe.augment
        nearest = nearest_words(rows.matrix, rows.known) if settings.synonym and rows else None
        rare = settings.rare_dropout
        rarity = rare / (rare + self._counts) if rare else None
        return Augmenting(TextAugmentation(settings.word_dropout, settings.swap, settings.synonym, nearest, rarity))


class Augmenting:
    """Augmentation of token numbers."""

    def __init__(self, words: TextAugmentation) -> None:
        self.words = words

    def inputs(self, x: Tensor, generator: torch.Generator, turn: Tensor | None = None) -> Tensor:
        """Token numbers, [batch, tokens]."""
        changed: Tensor = self.words(x, generator)
        return changed

    def mix(self, x: Tensor, truth: Tensor, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Unchanged."""
        return x, truth

    def features(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Unchanged."""
        return x


def _length(lengths: np.ndarray, own: int) -> int:
    """Twice what 99 of 100 texts have, within bounds; a network made for more may have more."""
    return int(np.clip(2 * np.percentile(lengths, 99), 2 * SHORTEST, max(LONGEST, own)))


def _settle_ngrams(recipe: TextRecipe, tokens: int, classes: int, default: bool) -> None:
    """Leaves n-grams out where nobody asked for them and weighing them would take long; else gives them rows enough.

    Args:
        recipe: changed in place.
        tokens: of all training texts together, at most as many as they have pairs of words.
        classes: how many there are.
        default: whether the network was left to us.
    """
    if default and tokens * classes > MOST_WEIGHED:
        recipe.model.arch = "textcnn"
    elif recipe.model.arch == "textcnn_nb":
        buckets = 2 ** math.ceil(math.log2(min(tokens, MOST_WEIGHTS / classes)))
        recipe.model.options.setdefault("buckets", buckets)
        recipe.model.options.setdefault("ngrams", 2)  # prediction reads how long they are here, its table cannot tell
