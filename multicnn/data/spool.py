"""Bytes that come one behind another, in memory while they are few."""

import tempfile
from typing import Any, BinaryIO

import numpy as np

from multicnn.errors import MulticnnError

# What is more than so many bytes lies in a file.
IN_MEMORY = 1 << 26
WRITTEN_AT_ONCE = 1 << 20


class Spool:
    """Takes bytes. What exceeds `IN_MEMORY` goes to a temporary file, which is mapped into memory."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._file: BinaryIO | None = None

    def append(self, more: bytes) -> None:
        """Puts bytes behind the others.

        Raises:
            MulticnnError: the disk is full.
        """
        self._waiting += more
        if len(self._waiting) >= (IN_MEMORY if self._file is None else WRITTEN_AT_ONCE):
            self._write()

    def packed(self, dtype: Any) -> np.ndarray:
        """All of them as numbers of this type; nothing can be put behind them any more."""
        if self._file is None:
            return np.frombuffer(self._waiting, dtype)
        self._write()
        return np.asarray(np.memmap(self._file, dtype, mode="r"))

    def _write(self) -> None:
        try:
            if self._file is None:  # its name goes at once, its content with the last array
                self._file = tempfile.TemporaryFile(prefix="multicnn-")  # noqa: SIM115
            self._file.write(self._waiting)
            self._file.flush()
        except OSError as error:
            folder = tempfile.gettempdir()
            raise MulticnnError(
                f"{folder} cannot be written: {error.strerror or error}; TMPDIR names another"
            ) from error
        self._waiting = bytearray()
