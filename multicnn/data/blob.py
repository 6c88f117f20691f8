"""A run of bytes on disk: a whole file, or a member of a tar archive, read without unpacking."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from multicnn.errors import InputError


@dataclass(frozen=True, slots=True)
class Blob:
    """Where some bytes lie; nothing is read before `read`.

    Args:
        path: the file that holds them.
        offset: the first byte.
        size: how many bytes, or None for all up to the end of the file.
    """

    path: Path
    offset: int = 0
    size: int | None = None

    def read(self) -> bytes:
        """The bytes.

        Raises:
            InputError: the file is gone, may not be read, or ends too early. The message names no file.
        """
        try:
            with self.path.open("rb", buffering=0) as file:
                if self.offset:
                    file.seek(self.offset)
                data = file.readall() if self.size is None else _read_exactly(file.read, self.size)
        except OSError as error:
            raise InputError(_told(error)) from error
        if self.size is not None and len(data) < self.size:
            raise _ends_early(len(data), self.size)
        return data

    def open(self) -> BinaryIO:
        """The bytes as a file that can be read from anywhere; nothing else is read.

        Raises:
            InputError: as `read`.
        """
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise InputError(_told(error)) from error
        if not self.offset and self.size is None:
            return file
        there = max(0, os.fstat(file.fileno()).st_size - self.offset)
        if self.size is not None and there < self.size:
            file.close()
            raise _ends_early(there, self.size)
        return io.BufferedReader(_Member(file, self.offset, there if self.size is None else self.size))

    def length(self) -> int:
        """How many bytes `read` would give.

        Raises:
            InputError: the file is gone or may not be looked at.
        """
        if self.size is not None:
            return self.size
        try:
            return self.path.stat().st_size - self.offset
        except OSError as error:
            raise InputError(_told(error)) from error


class _Member(io.RawIOBase):
    """A run of bytes of a file, as a file of its own.

    Args:
        file: closed along with this.
        offset: the first byte.
        size: how many.
    """

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file, self._offset, self._size, self._at = file, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        self._file.seek(self._offset + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _read_exactly(read: Callable[[int], bytes | None], size: int) -> bytes:
    """Reads until `size` bytes are there or the file ends: one unbuffered read may give fewer."""
    data = read(size) or b""
    while len(data) < size and (more := read(size - len(data))):
        data += more
    return data


def _ends_early(there: int, size: int) -> InputError:
    return InputError(f"the archive ends after {there:,} of its {size:,} bytes")


def _told(error: OSError) -> str:
    """An operating system's error in this project's words."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder, not a file"
        case PermissionError():
            return "the file may not be read (permission denied)"
    return f"the file cannot be read ({error.strerror or error})"
