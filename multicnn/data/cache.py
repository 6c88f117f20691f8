"""Decoded examples kept on disk, so that the next training need not decode them again."""

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

import multicnn
from multicnn.data.decode import Decoded, in_parallel
from multicnn.data.example import Content, Example, Trouble
from multicnn.data.files import user_cache, write_atomically
from multicnn.data.kept import ABOUT, DECODED, alone, hold
from multicnn.data.recordings import Pieces
from multicnn.data.rows import RowFile, Rows
from multicnn.errors import InputError
from multicnn.pipeline import Reader

DIGEST = 16  # bytes of BLAKE2b: no two contents will ever meet
PRINT = np.dtype(f"S{2 * DIGEST}")  # and its hexadecimal digits
# The mark of a content that could not be read; it is tried again each time. 0 marks what was not tried yet.
UNREADABLE = 1
# What decodes; another version may give other pixels or samples.
DECODERS = ("pillow", "soundfile", "soxr")


def cache_folder() -> Path:
    """Where decoded examples are kept."""
    return user_cache() / DECODED


def fingerprints(examples: Sequence[Example], workers: int) -> Iterator[bytes]:
    """A digest of each example's bytes, in order; all that cannot be loaded have the same one."""
    return in_parallel(_fingerprint, examples, workers)


class Cache:
    """A row for each content that a data set has, however it is divided.

    A row is right if its mark is its CRC-32. So what an interrupted build did not come to and what was damaged are
    known alike, and are decoded again. Processes that build the same cache write the same bytes to the same places and
    need no lock. What cannot be read says why each time.

    Args:
        root: the folder of all caches.
        prints: digests of the data set's examples, [examples] of `PRINT`; the same set of them gives the same cache.
        reader: decodes.
        like: an array of the reader's.
        origin: what the user called the data set; only told.

    Raises:
        MulticnnError: the folder cannot be written.
    """

    def __init__(self, root: Path, prints: np.ndarray, reader: Reader, like: np.ndarray, origin: str = "") -> None:
        self.reader = reader
        self.prints = np.unique(prints)
        self.folder = root / _key(self.prints, reader)
        about = {"data": origin, "examples": len(self.prints), "shape": like.shape, **_made_by(reader)}
        with alone(root):
            write_atomically(self.folder / ABOUT, json.dumps(about, indent=1))
            hold(self.folder)
        self.rows = RowFile(self.folder / "rows", len(self.prints), like.shape, like.dtype)
        self._marks_file = RowFile(self.folder / "marks", len(self.prints), (), np.dtype(np.uint32))
        self.marks = self._marks_file.whole()

    @property
    def missing_bytes(self) -> int:
        """What is still to be written."""
        return int((self.marks == 0).sum()) * self.rows.row_bytes

    def fill(self, examples: Sequence[Example], prints: np.ndarray, workers: int) -> Iterator[int | Trouble]:
        """Decodes what is not there yet; each example's row comes out, in order, or why it has none.

        Args:
            examples: what to read.
            prints: their digests, [examples] of `PRINT`.
            workers: threads.
        """
        numbers = np.searchsorted(self.prints, prints).tolist()
        answers = in_parallel(self._look_up, list(zip(examples, numbers, strict=True)), workers)
        for number, answer in zip(numbers, answers, strict=True):
            if isinstance(answer, np.ndarray):
                self.rows[number] = answer
            if answer is not None:
                self.marks[number] = UNREADABLE if isinstance(answer, Trouble) else _mark(answer)
                self._marks_file[number] = self.marks[number]
            yield answer if isinstance(answer, Trouble) else number

    def collect(self, pieces: Pieces, filled: Iterator[int | Trouble]) -> Decoded:
        """The examples that could be read, as rows of the cache.

        Args:
            pieces: whose examples were given to `fill`.
            filled: what came out.
        """
        answers = list(filled)
        read = np.array([isinstance(answer, int) for answer in answers], dtype=bool)
        labels = [example.label for example in compress(pieces.examples, read)]
        numbers = np.array(list(compress(answers, read)), dtype=np.int64)
        troubles = [one for one in answers if isinstance(one, Trouble)]
        return Decoded(Rows(self.rows, numbers), labels, pieces.owner[read], troubles)

    def _look_up(self, asked: tuple[Example, int]) -> np.ndarray | Trouble | None:
        """None where the row is right, else the array that belongs there."""
        example, number = asked
        if self.marks[number] > UNREADABLE and _mark(self.rows[number]) == self.marks[number]:
            return None
        try:
            content = example.load()
            if _digest(content) != self.prints[number]:
                raise InputError("the file changed while it was read")
            return self.reader.read(content)
        except InputError as error:
            return Trouble(example.name, str(error))


def _fingerprint(example: Example) -> bytes:
    try:
        return _digest(example.load())
    except InputError:
        return b"unreadable"


def _digest(content: Content) -> bytes:
    assert isinstance(content, bytes | str), "excerpts are not cached"
    content = content.encode() if isinstance(content, str) else content
    return hashlib.blake2b(content, digest_size=DIGEST).hexdigest().encode()


def _key(prints: np.ndarray, reader: Reader) -> str:
    """Names a cache after all that its rows depend on."""
    how = json.dumps(_made_by(reader), sort_keys=True).encode()
    return hashlib.blake2b(how + prints.tobytes(), digest_size=DIGEST).hexdigest()


def _made_by(reader: Reader) -> dict[str, Any]:
    """What made the rows out of the bytes."""
    versions = {"multicnn": multicnn.__version__} | {name: version(name) for name in DECODERS}
    return {"reader": type(reader).__name__, "settings": reader.settings(), "versions": versions}


def _mark(array: np.ndarray) -> np.uint32:
    """The CRC-32 of a row, above the marks that mean something else."""
    return np.uint32(max(zlib.crc32(array.tobytes()), UNREADABLE + 1))
