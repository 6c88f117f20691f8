"""Writing files so that a reader never meets half of one, and where those go that can be made anew."""

import csv
import gzip
import io
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from multicnn.errors import MulticnnError

ROWS_AT_ONCE = 1 << 12


def user_cache() -> Path:
    """The folder of what is kept for the next time: `MULTICNN_CACHE`, or one in the user's folder for caches."""
    own = os.environ.get("MULTICNN_CACHE")
    users = os.environ.get("XDG_CACHE_HOME")
    return Path(own) if own else (Path(users) if users else Path.home() / ".cache") / "multicnn"


def open_plain(path: Path) -> "gzip.GzipFile | BinaryIO":
    """A file's bytes, unpacked where its name ends in .gz."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Writes a file under a temporary name beside it, syncs it and renames it; folders on the way are made.

    A crash or a full disk leaves the old file as it was. Devices and pipes (`/dev/stdout`) are written
    straight, and a symbolic link is followed, so that its target is replaced and not the link.

    Args:
        path: the file to write.
        content: bytes, or text that is written as UTF-8 (names that were no UTF-8 on disk keep their bytes).

    Raises:
        MulticnnError: the file cannot be written.
    """
    write_pieces(path, [content])


def write_pieces(path: str | Path, pieces: Iterable[bytes | str]) -> None:
    """As `write_atomically`, of a file that comes piece by piece."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            _write(path, pieces)
            return
        with written_whole(path.resolve()) as beside:
            _write(beside, pieces)
    except OSError as error:
        raise MulticnnError(f"{path} cannot be written: {error.strerror or error}") from error


def csv_pieces(rows: Iterable[Sequence[object]], *, quote_all: bool = False) -> Iterator[str]:
    """Rows as CSV, some thousand at a time.

    Args:
        rows: the header first.
        quote_all: put every field in quotes: then line ends of all kinds in a text come back as they are.
    """
    remaining, text = iter(rows), io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        writer.writerows(some)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _write(path: Path, pieces: Iterable[bytes | str]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name beside a file, for its new content: synced and renamed at the end, removed where something went wrong.

    Args:
        path: the file; folders on the way are made. The other name has its ending, by which some writers go.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{secrets.token_hex(4)}.{path.name[-100:]}")
    try:
        yield beside
        with beside.open("r+b") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
