"""A folded TextCNN computed by look-ups. Never imports torch or ONNX Runtime."""

from dataclasses import dataclass

import numpy as np

from multicnn.bundle.constants import constants
from multicnn.bundle.read import Bundle
from multicnn.data.ragged import Ragged
from multicnn.inference.predictor import reader_of
from multicnn.inference.strongest import FUSED, Strongest, in_blocks
from multicnn.text.hashing import MULTIPLIER, PRIME
from multicnn.text.read import FIRST_WORD, PADDING, TextReader

# After so many windows of words it is likely that there will be as many more, and on these a compiled loop saves the
# 0.4 s that loading it takes.
MANY_WINDOWS = 3_000_000


@dataclass(frozen=True)
class Bag:
    """A bag of n-grams, as `multicnn.text.architectures.ngrams`.

    Attributes:
        columns: the weights of each class, float32 [classes, rows].
        bias: float32 [classes].
        words: how many rows are those of single words.
        longest: how many words the longest n-grams have.
    """

    columns: np.ndarray
    bias: np.ndarray
    words: int
    longest: int

    def logits(self, texts: Ragged) -> np.ndarray:
        """float32 [texts, classes]; every text has a token or more."""
        lengths = texts.lengths
        # Padding stands before, between and behind the texts, once: an n-gram with padding inside belongs to none.
        framed = np.zeros(len(texts.flat) + len(texts) + self.longest, np.int64)
        framed[1 + np.arange(len(texts.flat)) + np.repeat(np.arange(len(texts)), lengths)] = texts.flat
        count = len(texts.flat) + len(texts)
        starts = texts.ends[:-1] + np.arange(len(texts))
        rows = [framed[:count]]
        rows += [self._rows(framed, length, count) for length in range(2, self.longest + 1)]
        sums = [np.add.reduceat(sum(column.take(some) for some in rows), starts) for column in self.columns]
        logits: np.ndarray = np.stack(sums, axis=1) + self.bias
        return logits

    def _rows(self, framed: np.ndarray, length: int, count: int) -> np.ndarray:
        """The row of each n-gram of a length, int64 [count]; 0, whose weights are zero, where there is none."""
        words = [framed[at : at + count] for at in range(length)]
        real = (words[0] != PADDING) | (words[-1] != PADDING)
        number = np.zeros_like(words[0])
        for at, word in enumerate(words):
            if 0 < at < length - 1:
                real &= word != PADDING
            number = (number + word) * MULTIPLIER % PRIME
        return np.where(real, self.words + number % (self.columns.shape[1] - self.words), PADDING)


class LookUps:
    """A trained model for texts whose graph is tables, ready to be asked.

    ONNX Runtime computes such a graph operation by operation, each over the whole batch in float32, and waits for the
    memory. Here the numbers are those of the tables, int16, and a few hundred windows go through all operations at a
    time: a third of the time, and the same sums.

    Args:
        labels: the classes.
        reader: from a text to its tokens.
        table: what each word adds to each filter's answer at each place in a window, int16 [words * places, filters],
            all places of a word side by side.
        scale: what one unit of an answer is, float32 [filters].
        weight, bias: from the answers to logits, float32 [classes, filters] and [classes].
        bag: the n-grams beside the network.
    """

    def __init__(
        self,
        labels: list[str],
        reader: TextReader,
        table: np.ndarray,
        scale: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
        bag: Bag | None,
    ) -> None:
        self.labels, self.reader = labels, reader
        self._table = table
        self._places = len(table) // (len(reader.vocabulary) + FIRST_WORD)
        self._weight, self._bias, self._bag = (weight * scale).T, bias, bag
        self._find: Strongest = in_blocks
        self._compiles, self._windows = self._places in FUSED, 0

    def probabilities(self, texts: Ragged) -> np.ndarray:
        """The probability of each class for each of several texts.

        Args:
            texts: the ids of their tokens, each at least one.

        Returns:
            [texts, classes] float32; a row that is not finite says that the model cannot compute this text.
        """
        strongest = self._strongest(texts)
        with np.errstate(all="ignore"):  # what is not finite shows in the answer
            logits = np.maximum(strongest, 0).astype(np.float32) @ self._weight + self._bias
            if self._bag is not None:
                logits = (logits + self._bag.logits(texts)) / 2
            return softmax(logits)

    def _strongest(self, texts: Ragged) -> np.ndarray:
        """Each filter's strongest answer to each text, int16 [texts, filters]."""
        self._windows += len(texts.flat)
        if self._compiles and self._windows > MANY_WINDOWS:
            from multicnn.inference.fused import compiled

            self._find, self._compiles = compiled(), False
        strongest = np.empty((len(texts), self._table.shape[1]), np.int16)
        self._find(self._table, texts.flat, texts.ends[:-1], texts.lengths, self._places, strongest)
        return strongest


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def open_lookups(bundle: Bundle) -> LookUps | None:
    """A model as look-ups; None where its graph is something else, or its texts are read in windows.

    Raises:
        UsageError: this version does not know the model's reader.
    """
    meta = bundle.meta
    if meta["pipeline"] != "text" or meta.get("graph") != "folded" or meta["reader"].get("truncate") == "windows":
        return None
    found = constants(bundle.model)
    name = next((name for name in found if name.endswith("network.table")), "")
    if not name or found[name].dtype != np.int16:  # an older version wrote it
        return None
    reader = reader_of(bundle)
    assert isinstance(reader, TextReader)
    network = name.removesuffix("table")
    table, scale, weight, bias = (found[network + name] for name in ("table", "scale", "head.1.weight", "head.1.bias"))
    bag = None
    beside = f"{network.removesuffix('network.')}bag."
    if beside + "table" in found:  # an older version wrote it, whose n-grams hold no unknown word
        return None
    if beside + "weights" in found:
        columns, longest = found[f"{beside}weights"].T.copy(), meta["architecture"]["options"]["ngrams"]
        bag = Bag(columns, found[f"{beside}bias"], len(reader.vocabulary) + FIRST_WORD, longest)
    return LookUps(meta["labels"], reader, table, scale, weight, bias, bag)
