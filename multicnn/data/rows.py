"""Arrays of one shape in a file: as many as the disk holds, in a constant share of the memory."""

import errno
import math
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import numpy as np

from multicnn.errors import MulticnnError


class RowFile:
    """A file of `count` arrays; what was never written reads as zeros.

    The system keeps in memory what it has room for. Were the file mapped, its pages would count as the process's own;
    giving them back costs more than reading does (3 KB in random order: 20 to 35 us a row, against 8 us).

    Args:
        path: made where there is none, and brought to its size.
        count: arrays, at least one.
        shape: of each of them.
        dtype: of each of them.

    Raises:
        MulticnnError: the file cannot be written.
    """

    def __init__(self, path: Path, count: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path = path
        self.shape = shape
        self.dtype = dtype
        self.row_bytes = math.prod(shape) * dtype.itemsize
        self._lock = Lock()
        try:
            path.touch()
            self._file = path.open("r+b", buffering=0)
            self._file.truncate(count * self.row_bytes)
        except OSError as error:
            raise self._unwritable(error) from error

    def __getitem__(self, row: int) -> np.ndarray:
        """One array; any thread may ask.

        Raises:
            MulticnnError: somebody has cut the file short.
        """
        array = np.empty(self.shape, self.dtype)
        with self._lock:
            self._file.seek(row * self.row_bytes)
            read = self._file.readinto(array.data.cast("B"))
        if read < self.row_bytes:
            raise MulticnnError(f"{self.path} was cut short while it was in use; train again")
        return array

    def __setitem__(self, row: int, array: np.ndarray | np.generic) -> None:
        """Writes one array; any thread may.

        Raises:
            MulticnnError: the disk is full or gone.
        """
        try:
            with self._lock:
                self._file.seek(row * self.row_bytes)
                if self._file.write(array.tobytes()) < self.row_bytes:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise self._unwritable(error) from error

    def whole(self) -> np.ndarray:
        """All of them in memory, [count, ...]."""
        return np.fromfile(self.path, self.dtype).reshape(-1, *self.shape)

    def _unwritable(self, error: OSError) -> MulticnnError:
        return MulticnnError(f"{self.path} cannot be written: {error.strerror or error}")


class Rows:
    """Some arrays of a file, in an order of their own; each is read when it is asked for.

    Args:
        file: where they lie.
        numbers: their rows in it, [count].
    """

    def __init__(self, file: RowFile, numbers: np.ndarray) -> None:
        self.file = file
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.file[int(self.numbers[index])]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    @property
    def nbytes(self) -> int:
        """What they take as one array, in bytes."""
        return len(self) * self.file.row_bytes
