"""A run of bytes on disk: a whole file, or a member of a tar archive, read without unpacking."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
            raise InputError(f"the archive ends after {len(data):,} of its {self.size:,} bytes")
        return data

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


def _read_exactly(read: Callable[[int], bytes | None], size: int) -> bytes:
    """Reads until `size` bytes are there or the file ends: one unbuffered read may give fewer."""
    data = read(size) or b""
    while len(data) < size and (more := read(size - len(data))):
        data += more
    return data


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
