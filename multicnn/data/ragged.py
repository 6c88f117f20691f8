"""Arrays of different lengths, one behind another: the ids of a million texts, at four bytes a token."""

from array import array
from collections.abc import Iterable, Sequence, Sized
from typing import TypeVar, overload

import numpy as np

from multicnn.data.spool import Spool

T = TypeVar("T", bound=Sized)


def blocks(texts: Iterable[T], size: int) -> list[list[T]]:
    """Texts in their order, as many together as make some `size` characters."""
    done: list[list[T]] = []
    room = 0
    for text in texts:
        if room <= 0:
            done.append([])
            room = size
        done[-1].append(text)
        room -= len(text)
    return done


class Ragged(Sequence[np.ndarray]):
    """A sequence of arrays, each a view of one long array. As objects of their own they take 112 bytes more each.

    Args:
        flat: all of them, int32 [numbers].
        ends: where each ends and the next begins, from 0 on, int64 [count + 1].
    """

    def __init__(self, flat: np.ndarray, ends: np.ndarray) -> None:
        self.flat = flat
        self.ends = ends

    def __len__(self) -> int:
        return len(self.ends) - 1

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [self[place] for place in places]
        return self.flat[self.ends[places] : self.ends[places + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """How long each is, [count]."""
        return np.diff(self.ends)

    def without_empty(self) -> "Ragged":
        """The arrays that have something in them, in their order."""
        return Ragged(self.flat, self.ends[np.append(True, self.lengths > 0)])

    def parts(self, starts: np.ndarray, longest: int) -> "Ragged":
        """A stretch of each.

        Args:
            starts: where it starts in each, int64 [count].
            longest: how long it is at most; it is shorter where the array ends.
        """
        lengths = np.minimum(self.lengths - starts, longest)
        place = np.arange(len(self.flat)) - np.repeat(self.ends[:-1] + starts, self.lengths)
        kept = (place >= 0) & (place < longest)
        return Ragged(self.flat[kept], np.concatenate([[0], lengths.cumsum()]))


class Packer:
    """Packs arrays as they come; those of a large data set lie in a file."""

    def __init__(self) -> None:
        self._numbers = Spool()
        self._ends = array("q", [0])

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._ends) - 1

    def add(self, one: np.ndarray) -> None:
        """Puts an array, int32 [length], behind the others.

        Raises:
            MulticnnError: the disk is full.
        """
        self._ends.append(self._ends[-1] + len(one))
        self._numbers.append(one.tobytes())

    def extend(self, more: Ragged) -> None:
        """Puts several behind the others.

        Raises:
            MulticnnError: the disk is full.
        """
        self._ends.frombytes((more.ends[1:] + (self._ends[-1] - more.ends[0])).tobytes())
        self._numbers.append(more.flat[more.ends[0] : more.ends[-1]].tobytes())

    def packed(self) -> Ragged:
        """All of them."""
        return Ragged(self._numbers.packed(np.int32), np.frombuffer(self._ends, np.int64))
