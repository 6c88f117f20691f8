"""Which examples go into which batch, and how a batch comes to the device."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from multicnn.data.ragged import Ragged
from multicnn.data.recordings import first_pieces
from multicnn.data.rows import Rows
from multicnn.pipeline import Reader

# Texts are sorted by length within so many batches: little padding, and still a new mixture in each epoch.
BUCKET_BATCHES = 50
# Batches that are made while the device is busy with another.
AHEAD = 2
# Examples that are copied at a time where the whole part moves to the device.
MOVED_AT_ONCE = 1024

Batch = tuple[Tensor, Tensor]


class Feed:
    """The examples of one part, ready to be taken in batches.

    Args:
        arrays: one array an example, [count, ...], rows of a file, or ragged where the lengths differ.
        truth: the class of each example, [count].
        reader: collates where the lengths differ.
        device: where the batches are wanted. Arrays of one shape move there at once if they take less than a quarter
            of its memory.
        owner: which arrays are pieces of one example, as in `multicnn.data.recordings.Pieces`; None for none.
        span_f1: of words, from predicted classes, [count], to the F1 of the spans.
    """

    def __init__(
        self,
        arrays: np.ndarray | Rows | Ragged,
        truth: np.ndarray,
        reader: Reader,
        device: torch.device,
        owner: np.ndarray | None = None,
        span_f1: Callable[[np.ndarray], float] | None = None,
    ) -> None:
        self.arrays = arrays
        self.span_f1 = span_f1
        self.reader = reader
        self.device = device
        self.owner = np.arange(len(arrays)) if owner is None else owner
        self.first = first_pieces(self.owner)
        self.truth = torch.from_numpy(truth.astype(np.int64)).to(device)
        self.lengths = arrays.lengths if isinstance(arrays, Ragged) else None
        self.resident = self._on_device() if self._fits() else None

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def examples(self) -> int:
        """How many there are; more than these are their pieces."""
        return len(self.first)

    def truth_of_examples(self) -> np.ndarray:
        """The class of each example, [examples]."""
        truth: np.ndarray = self.truth.cpu().numpy()[self.first]
        return truth

    def _fits(self) -> bool:
        """Whether the arrays move to the device as a whole; what lies in memory is on a CPU already."""
        if self.device.type != "cuda" or isinstance(self.arrays, Ragged):
            return isinstance(self.arrays, np.ndarray)
        return self.arrays.nbytes < torch.cuda.mem_get_info(self.device)[0] / 4

    def _on_device(self) -> Tensor:
        if isinstance(self.arrays, np.ndarray):
            return torch.from_numpy(self.arrays).to(self.device)
        return torch.cat([self._collated(chosen).to(self.device) for chosen in self.in_order(MOVED_AT_ONCE)])

    def batch(self, chosen: np.ndarray) -> Batch:
        """The examples with these numbers: inputs, [batch, ...], and classes, [batch]."""
        index = torch.from_numpy(chosen).to(self.device)
        if self.resident is not None:
            return self.resident[index], self.truth[index]
        return self._collated(chosen).to(self.device, non_blocking=True), self.truth[index]

    def batches(self, choices: Sequence[np.ndarray]) -> Iterator[Batch]:
        """A `batch` for each choice; pictures and sounds from a file are fetched a little ahead, by a thread."""
        if self.resident is not None or isinstance(self.arrays, Ragged):
            yield from map(self.batch, choices)
            return
        with ThreadPoolExecutor(1) as pool:
            waiting: deque[Future[Batch]] = deque()
            for chosen in choices:
                waiting.append(pool.submit(self.batch, chosen))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _collated(self, chosen: np.ndarray) -> Tensor:
        """The inputs of a batch, where a GPU can fetch them while it computes."""
        collated = torch.from_numpy(self.reader.collate([self.arrays[i] for i in chosen]))
        return collated.pin_memory() if self.device.type == "cuda" else collated

    def in_order(self, batch_size: int) -> list[np.ndarray]:
        """All examples, once each; texts of like length together."""
        order = np.arange(len(self)) if self.lengths is None else np.argsort(self.lengths, kind="stable")
        return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def shuffled(
        self, batch_size: int, rng: np.random.Generator, chances: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """One epoch of full batches in random order, with one piece of each example, whichever the chances give.

        What is left over has its turn in another epoch.

        Args:
            batch_size: examples a batch; a part with fewer gives one batch of all.
            rng: decides the order.
            chances: how likely each piece is to be drawn, with replacement; without it, each example comes once.
        """
        count = self.examples
        order = self._one_of_each(rng) if chances is None else rng.choice(len(self), count, p=chances)
        if self.lengths is not None:
            order = self._bucketed(order, batch_size * BUCKET_BATCHES)
        full = max(1, count // batch_size)
        batches = [order[start * batch_size : (start + 1) * batch_size] for start in range(full)]
        if self.lengths is not None:
            batches = [batches[i] for i in rng.permutation(full)]
        return batches

    def _one_of_each(self, rng: np.random.Generator) -> np.ndarray:
        """A piece of each example, in random order."""
        order = rng.permutation(self.examples)
        if len(self) == self.examples:
            return order
        pieces = np.diff(self.first, append=len(self))[order]
        return self.first[order] + rng.integers(pieces)

    def _bucketed(self, order: np.ndarray, bucket: int) -> np.ndarray:
        assert self.lengths is not None
        buckets = (order[start : start + bucket] for start in range(0, len(order), bucket))
        return np.concatenate([one[np.argsort(self.lengths[one], kind="stable")] for one in buckets])


def class_weights(truth: np.ndarray, classes: int) -> np.ndarray:
    """How much each class counts so that all count alike: count / (classes * count of the class), [classes]."""
    counts = np.bincount(truth, minlength=classes)
    return len(truth) / (classes * np.maximum(counts, 1))
