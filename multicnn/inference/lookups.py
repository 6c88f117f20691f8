"""A folded TextCNN computed by NumPy, in pieces that fit the processor's cache. Never imports torch or ONNX Runtime."""

from dataclasses import dataclass

import numpy as np

from multicnn.bundle.constants import constants
from multicnn.bundle.read import Bundle
from multicnn.data.ragged import Ragged
from multicnn.inference.predictor import reader_of
from multicnn.text.hashing import MULTIPLIER, PRIME
from multicnn.text.read import FIRST_WORD, PADDING, TextReader

# Windows of words that are summed at a time: the sums of 300 filters are 0.6 MB, which stay in the processor's cache.
WINDOWS = 1024


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
        self._table, self._filters = table, table.shape[1]
        self._places = len(table) // (len(reader.vocabulary) + FIRST_WORD)
        self._weight, self._bias, self._bag = (weight * scale).T, bias, bag

    def probabilities(self, texts: Ragged) -> np.ndarray:
        """The probability of each class for each of several texts.

        Args:
            texts: the ids of their tokens, each at least one.

        Returns:
            [texts, classes] float32; a row that is not finite says that the model cannot compute this text.
        """
        longest_first = np.argsort(-texts.lengths, kind="stable")
        starts, lengths = texts.ends[longest_first], texts.lengths[longest_first]
        first_rows = texts.flat.astype(np.intp) * self._places
        strongest = np.empty((len(texts), self._filters), np.int16)
        room = np.empty((2, max(WINDOWS, lengths[0]), self._filters), np.int16)  # fresh memory is slow at first
        done = 0
        while done < len(longest_first):
            some = slice(done, done + max(1, WINDOWS // int(lengths[done])))
            strongest[longest_first[some]] = self._strongest(first_rows, starts[some], lengths[some], room)
            done = some.stop
        with np.errstate(all="ignore"):  # what is not finite shows in the answer
            logits = np.maximum(strongest, 0).astype(np.float32) @ self._weight + self._bias
            if self._bag is not None:
                logits = (logits + self._bag.logits(texts)) / 2
            return softmax(logits)

    def _strongest(
        self, first_rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, room: np.ndarray
    ) -> np.ndarray:
        """Each filter's strongest answer to each of some texts, int16 [texts, filters].

        Args:
            first_rows: of each token of all texts.
            starts: where these texts start among them.
            lengths: how long they are; the first is the longest.
            room: for two numbers for each window and filter, int16 [2, windows, filters].
        """
        words, texts = lengths[0], len(lengths)
        further = np.arange(1 - self._places, words)[:, None]
        # [tokens, texts], so that one word further in all windows is so many texts further here; padding is word 0.
        is_real = (further >= 0) & (further < lengths)
        padded = np.where(is_real, first_rows.take(starts + further, mode="clip"), PADDING).ravel()
        sums, summand = room[:, : words * texts]
        for place in range(self._places):
            rows = padded[place * texts : (place + words) * texts] + place
            self._table.take(rows, axis=0, out=summand if place else sums, mode="clip")
            if place:
                sums += summand
        strongest: np.ndarray = sums.reshape(words, texts, -1).max(axis=0)
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
