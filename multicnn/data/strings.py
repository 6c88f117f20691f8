"""Many strings in little memory: texts and names, and values of which there are few."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import overload

import numpy as np

from multicnn.data.spool import Spool

DECODED_AT_ONCE = 1 << 14
# A file's name that is no UTF-8 has surrogates, which come back as they were.
UTF8 = ("utf-8", "surrogatepass")


class Strings(Sequence[str]):
    """Strings that lie in UTF-8 one behind another; each is decoded when it is asked for.

    Args:
        flat: the bytes of all, uint8.
        ends: where each ends and the next begins, from 0 on, int64.
        places: which of them these are, int32 [count].
    """

    def __init__(self, flat: np.ndarray, ends: np.ndarray, places: np.ndarray) -> None:
        self._flat = flat
        self._ends = ends
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return list(self.take(index))
        place = self._places[index]
        return str(self._flat[self._ends[place] : self._ends[place + 1]].data, *UTF8)

    def __iter__(self) -> Iterator[str]:
        view = self._flat.data
        for start in range(0, len(self), DECODED_AT_ONCE):
            places = self._places[start : start + DECODED_AT_ONCE]
            for begin, end in zip(self._ends[places].tolist(), self._ends[places + 1].tolist(), strict=True):
                yield str(view[begin:end], *UTF8)

    def take(self, which: np.ndarray | slice) -> "Strings":
        """Some of them: places, or whether each is among them."""
        return Strings(self._flat, self._ends, self._places[which])

    def stretches(self, size: int) -> list[slice]:
        """All of them in their order, as many together as make some `size` bytes."""
        if not len(self):
            return []
        through = np.cumsum(self._ends[self._places + 1] - self._ends[self._places])
        last = np.searchsorted(through, np.arange(size, through[-1], size))
        bounds = np.unique([0, *(last + 1), len(self)]).tolist()
        return [slice(start, end) for start, end in pairwise(bounds)]

    def firsts(self) -> np.ndarray:
        """The place of the first string that is equal to each, int32 [count]."""
        hashes = np.fromiter(map(hash, self), np.int64, len(self))
        order = np.argsort(hashes, kind="stable")
        hashes = hashes[order]
        again = np.concatenate([[False], hashes[1:] == hashes[:-1], [False]])
        firsts = np.arange(len(self), dtype=np.int32)
        begins, ends = np.flatnonzero(~again[:-1] & again[1:]), np.flatnonzero(again[:-1] & ~again[1:]) + 1
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            seen: dict[str, int] = {}  # strings with the same hash may differ
            for place in order[begin:end].tolist():
                firsts[place] = seen.setdefault(self[place], place)
        return firsts


class StringPacker:
    """Packs strings as they come; those of a large data set lie in a file."""

    def __init__(self) -> None:
        self._bytes = Spool()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def extend(self, some: Iterable[str]) -> None:
        """Puts strings behind the others.

        Raises:
            MulticnnError: the disk is full.
        """
        encoded = [one.encode(*UTF8) for one in some]
        self._ends.extend(islice(accumulate(map(len, encoded), initial=self._ends[-1]), 1, None))
        self._bytes.append(b"".join(encoded))

    def packed(self) -> Strings:
        """All of them."""
        ends = np.frombuffer(self._ends, np.int64)
        return Strings(self._bytes.packed(np.uint8), ends, np.arange(len(self), dtype=np.int32))


class Values(Sequence[str | None]):
    """Values that mostly occur often, such as labels: each is kept once, and a number for each place.

    Args:
        known: each value once.
        numbers: which of them stands at each place, int32 [count].
    """

    def __init__(self, known: list[str | None], numbers: np.ndarray) -> None:
        self._known = known
        self.numbers = numbers

    @classmethod
    def of(cls, values: Iterable[str | None]) -> "Values":
        """Of what stands at each place."""
        packer = ValuePacker()
        packer.extend(values)
        return packer.packed()

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> str | None: ...
    @overload
    def __getitem__(self, index: slice) -> "Values": ...
    def __getitem__(self, index: int | slice) -> "str | Values | None":
        return self.take(index) if isinstance(index, slice) else self._known[self.numbers[index]]

    def __iter__(self) -> Iterator[str | None]:
        return map(self._known.__getitem__, each_number(self.numbers))

    def take(self, which: np.ndarray | slice) -> "Values":
        """Those at some places, or where it is true."""
        return Values(self._known, _lean(self._known, self.numbers[which]))

    def occurring(self) -> set[str | None]:
        """Those that stand anywhere."""
        return {self._known[number] for number in np.unique(self.numbers).tolist()}

    def are(self, value: str | None) -> np.ndarray:
        """Where this value stands, bool [count]."""
        number = self._known.index(value) if value in self._known else -1
        return np.asarray(self.numbers == number)


class ValuePacker:
    """Numbers values as they come."""

    def __init__(self) -> None:
        self._known = _Numbers()
        self._numbers = array("i")

    def extend(self, values: Iterable[str | None]) -> None:
        """Puts values behind the others."""
        self._numbers.extend(map(self._known.__getitem__, values))

    def packed(self) -> Values:
        """All of them."""
        known = list(self._known)
        return Values(known, _lean(known, np.frombuffer(self._numbers, np.int32)))


def each_number(numbers: np.ndarray) -> Iterator[int]:
    """The numbers, of which few at a time are objects."""
    for start in range(0, len(numbers), DECODED_AT_ONCE):
        yield from numbers[start : start + DECODED_AT_ONCE].tolist()


def _lean(known: list[str | None], numbers: np.ndarray) -> np.ndarray:
    """Where there is one value, as `None` of a column that is not there, its number need not be kept so many times."""
    return numbers if len(known) > 1 else np.broadcast_to(np.int32(0), len(numbers))


class _Numbers(dict[str | None, int]):
    """Gives each new value the next number."""

    def __missing__(self, value: str | None) -> int:
        return self.setdefault(value, len(self))
