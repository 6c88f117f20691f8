"""Which examples go into which batch, and how a batch comes to the device."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from multicnn.data.recordings import first_pieces
from multicnn.pipeline import Reader

# Texts are sorted by length within so many batches: little padding, and still a new mixture in each epoch.
BUCKET_BATCHES = 50


class Feed:
    """The examples of one part, ready to be taken in batches.

    Args:
        arrays: one array an example, [count, ...], or a list where the lengths differ.
        truth: the class of each example, [count].
        reader: collates where the lengths differ.
        device: where the batches are wanted. Arrays of one shape move there at once if they take less than a quarter
            of its memory.
        owner: which arrays are pieces of one example, as in `multicnn.data.recordings.Pieces`; None for none.
    """

    def __init__(
        self,
        arrays: np.ndarray | Sequence[np.ndarray],
        truth: np.ndarray,
        reader: Reader,
        device: torch.device,
        owner: np.ndarray | None = None,
    ) -> None:
        self.arrays = arrays
        self.reader = reader
        self.device = device
        self.owner = np.arange(len(arrays)) if owner is None else owner
        self.first = first_pieces(self.owner)
        self.truth = torch.from_numpy(truth.astype(np.int64)).to(device)
        self.lengths = None if isinstance(arrays, np.ndarray) else np.array([len(array) for array in arrays])
        self.resident = torch.from_numpy(arrays).to(device) if self._fits(device) else None

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

    def _fits(self, device: torch.device) -> bool:
        if not isinstance(self.arrays, np.ndarray) or isinstance(self.arrays, np.memmap):
            return False
        return device.type != "cuda" or self.arrays.nbytes < torch.cuda.mem_get_info(device)[0] / 4

    def batch(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """The examples with these numbers: inputs, [batch, ...], and classes, [batch]."""
        index = torch.from_numpy(chosen).to(self.device)
        if self.resident is not None:
            return self.resident[index], self.truth[index]
        collated = self.reader.collate([self.arrays[i] for i in chosen])
        return torch.from_numpy(collated).to(self.device, non_blocking=True), self.truth[index]

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
