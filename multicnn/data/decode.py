"""From examples to arrays: every file is decoded once, by a few threads, before the training starts."""

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from multicnn.data.example import Example, Trouble
from multicnn.data.ragged import Packer, Ragged
from multicnn.data.recordings import Pieces, cut
from multicnn.data.rows import RowFile, Rows
from multicnn.data.word import sentence_starts
from multicnn.errors import InputError

if TYPE_CHECKING:  # pipelines use data
    from multicnn.pipeline import Reader

# Single decodes are too short to be handed to a thread one by one, and many long ones would fill the memory.
CHUNK = 64
CHUNK_SECONDS = 0.05
# Seconds an example, below which threads only wait for Python's lock: two were slower than one on 32 x 32 JPEGs.
QUICK_DECODE = 200e-6
# What is larger than this share of the free memory lies in a file.
MEMORY_SHARE = 0.4

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Decoded:
    """Examples that could be read, and what they hold.

    Attributes:
        arrays: [count, ...] where all have one shape, rows of a file where they are many; texts are ragged.
        labels: in the order of the arrays, as the examples have them.
        owner: which arrays are pieces of one example, as in `multicnn.data.recordings.Pieces`.
        troubles: the examples that could not be read; they are left out.
        starts: where sentences begin, as from `multicnn.data.word.sentence_starts`.
    """

    arrays: np.ndarray | Rows | Ragged
    labels: Sequence[str | None]
    owner: np.ndarray
    troubles: list[Trouble]
    starts: np.ndarray | None = None


def decode(examples: Sequence[Example], reader: "Reader", workers: int) -> Iterator[np.ndarray | Trouble]:
    """Reads examples in parallel; what comes out is in order, one for each.

    Args:
        examples: what to read.
        reader: knows how.
        workers: threads. Image and audio libraries let go of Python's lock while they decode.
    """
    return in_parallel(lambda example: read_one(example, reader), examples, workers)


def in_parallel(do: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """Does something to every item, in chunks shared by threads where it takes long enough; results come in order.

    Args:
        do: the work; it should let go of Python's lock.
        items: what to do it to.
        workers: threads.
    """

    def work(chunk: Sequence[T]) -> list[R]:
        return [do(item) for item in chunk]

    began = time.perf_counter()
    yield from work(items[:CHUNK])
    seconds = (time.perf_counter() - began) / CHUNK
    alone = workers <= 1 or seconds < QUICK_DECODE
    size = CHUNK if alone else max(1, min(CHUNK, int(CHUNK_SECONDS / seconds)))
    chunks = (items[start : start + size] for start in range(CHUNK, len(items), size))
    if alone:
        for chunk in chunks:
            yield from work(chunk)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[list[R]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def read_one(example: Example, reader: "Reader") -> np.ndarray | Trouble:
    """What the reader makes of an example, or why it cannot."""
    try:
        return reader.read(example.load())
    except InputError as error:
        return Trouble(example.name, str(error))


def read_pieces(examples: Sequence[Example], reader: "Reader") -> tuple[Pieces, Iterator[np.ndarray | Trouble]]:
    """The pieces of examples as they are answered, and what is read of each, in order, by as many threads as cores.

    Args:
        examples: whole.
        reader: cuts and reads them.
    """
    pieces = cut(examples, reader)
    return pieces, decode(pieces.examples, reader, default_workers())


def collect(pieces: Pieces, decoded: Iterator[np.ndarray | Trouble]) -> Decoded:
    """Puts what was read into one array, of which texts have different shares.

    Args:
        pieces: whose examples were given to `decode`.
        decoded: what came out.
    """
    kept: list[Example] = []
    owner: list[int] = []
    troubles: list[Trouble] = []
    texts = Packer()
    table: np.ndarray | RowFile | None = None
    for example, place, one in zip(pieces.examples, pieces.owner.tolist(), decoded, strict=True):
        if isinstance(one, Trouble):
            troubles.append(one)
            continue
        if one.ndim == 1 and one.dtype == np.int32:  # texts differ in length
            texts.add(one)
        else:
            table = _room_for(len(pieces.examples), one) if table is None else table
            table[len(kept)] = one
        kept.append(example)
        owner.append(place)
    arrays: np.ndarray | Rows | Ragged
    if isinstance(table, RowFile):
        arrays = Rows(table, np.arange(len(kept)))
    else:
        arrays = texts.packed() if table is None else table[: len(kept)]
    labels, starts = [example.label for example in kept], sentence_starts(kept)
    return Decoded(arrays, labels, np.array(owner, np.int64), troubles, starts)


def _room_for(count: int, one: np.ndarray) -> np.ndarray | RowFile:
    """Room for so many of these: in memory, or in a temporary file that goes with the process."""
    if fits_memory(count * one.nbytes):
        return np.empty((count, *one.shape), one.dtype)
    with tempfile.NamedTemporaryFile(
        prefix="multicnn-"
    ) as file:  # its name goes at once, its content with the last user
        return RowFile(Path(file.name), count, one.shape, one.dtype)


def fits_memory(size: int) -> bool:
    """Whether so many bytes of examples may lie in memory."""
    return size < MEMORY_SHARE * _free_memory()


def _free_memory() -> int:
    """Bytes that can be had without swapping; where that cannot be asked, a cautious guess."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 2**32


def worker_count(asked: int | Literal["auto"]) -> int:
    """What `data.workers` comes to."""
    return default_workers() if asked == "auto" else asked


def default_workers() -> int:
    """As many threads as there are cores for this process, 16 at most."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(16, len(affinity(0)) if affinity else os.cpu_count() or 1)
