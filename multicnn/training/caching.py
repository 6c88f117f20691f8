"""Whether decoded examples are kept on disk, and where: what `data.cache` comes to."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from multicnn.data.cache import PRINT, Cache, cache_folder, fingerprints
from multicnn.data.decode import QUICK_DECODE, Decoded, fits_memory, read_one
from multicnn.data.example import Example
from multicnn.data.excerpt import Excerpt
from multicnn.data.kept import make_room, users_roots
from multicnn.data.recordings import Pieces
from multicnn.errors import MulticnnError, UsageError
from multicnn.pipeline import Reader
from multicnn.recipe import Recipe
from multicnn.training.progress import Reporter

# Seconds of decoding that are worth the disk: to look up what is there takes a tenth of it.
WORTH = 2.0
# A few examples, spread over the data, tell how long one takes.
TRIED = 32
TRIED_SECONDS = 0.2


@dataclass(slots=True)
class Cached:
    """A cache, and what it needs to know of the parts.

    Attributes:
        cache: on disk.
        prints: the digests of each part's examples.
        workers: threads that decode.
    """

    cache: Cache
    prints: dict[str, np.ndarray]
    workers: int

    def read(self, name: str, pieces: Pieces, reporter: Reporter) -> Decoded:
        """The examples of a part; what is not there yet is decoded."""
        filled = self.cache.fill(pieces.examples, self.prints[name], self.workers)
        return self.cache.collect(pieces, reporter.track(filled, len(pieces.examples), f"reading {name}"))


@dataclass(frozen=True, slots=True)
class Trial:
    """What decoding a few examples told: one of them, and the seconds that one takes."""

    array: np.ndarray
    seconds: float


def open_cache(
    recipe: Recipe, parts: dict[str, Pieces], reader: Reader, workers: int, reporter: Reporter
) -> Cached | None:
    """The cache of a data set, where there is to be one; says how much will be written to it.

    Args:
        recipe: `data.cache` is `auto` (where decoding takes longer than `WORTH`, or the arrays fill the memory), `on`,
            `off` or a folder. Texts and words are never cached, nor are excerpts: to know one again, its whole file is
            read.
        parts: what is read of each part of the data.
        reader: decodes.
        workers: threads.
        reporter: shows a bar.

    Raises:
        UsageError: the folder that was asked for cannot be written, or has no room; or as `multicnn.data.kept.limit`.
    """
    wanted = recipe.data.cache
    if wanted == "off" or recipe.pipeline not in ("image", "audio"):
        return None
    examples = list(chain.from_iterable(pieces.examples for pieces in parts.values()))
    whole = not any(isinstance(example.content, Excerpt) for example in examples)
    trial = _try(examples, reader) if whole else None
    if trial is None or (wanted == "auto" and not _pays(trial, len(examples), workers)):
        return None
    root = cache_folder() if wanted in ("auto", "on") else Path(wanted)
    try:
        cached = _open(root, recipe.data.path, parts, reader, workers, trial.array, reporter)
        if root == cache_folder() and (
            told := make_room(*users_roots())
        ):  # of a folder of their own, users take care themselves
            reporter.note(told)
        _announce(cached.cache, reporter)
    except MulticnnError as error:
        if wanted != "auto":
            raise UsageError(f"--cache: {error}") from error
        reporter.note(f"decoded examples are not kept: {error}")
        return None
    return cached


def _try(examples: Sequence[Example], reader: Reader) -> Trial | None:
    """Decodes a few examples; None where nothing can be read."""
    seconds: list[float] = []
    array: np.ndarray | None = None
    for example in chain(examples[:: max(1, len(examples) // TRIED)], examples):
        began = time.perf_counter()
        one = read_one(example, reader)
        if isinstance(one, np.ndarray):
            array = one
            seconds.append(time.perf_counter() - began)
        if array is not None and (len(seconds) >= TRIED or sum(seconds) > TRIED_SECONDS):
            break
    return Trial(array, float(np.median(seconds))) if array is not None else None


def _pays(trial: Trial, count: int, workers: int) -> bool:
    threads = 1 if trial.seconds < QUICK_DECODE else workers
    return count * trial.seconds / threads >= WORTH or not fits_memory(count * trial.array.nbytes)


def _open(
    root: Path,
    origin: str,
    parts: dict[str, Pieces],
    reader: Reader,
    workers: int,
    like: np.ndarray,
    reporter: Reporter,
) -> Cached:
    prints = {}
    for name, pieces in parts.items():
        found = reporter.track(fingerprints(pieces.examples, workers), len(pieces.examples), f"looking up {name}")
        prints[name] = np.array(list(found), dtype=PRINT)
    return Cached(Cache(root, np.concatenate(list(prints.values())), reader, like, origin), prints, workers)


def _announce(cache: Cache, reporter: Reporter) -> None:
    """
    Raises:
        MulticnnError: the disk has no room for what is to be written, and as much again for others.
    """
    size, free = cache.missing_bytes, shutil.disk_usage(cache.folder).free
    if 2 * size > free:
        needed = f"{size / 1e6:,.1f} MB of decoded examples, and {free / 1e6:,.1f} MB are free"
        raise MulticnnError(f"{cache.folder} would take {needed}; more than half of it is not taken")
    if size:
        reporter.note(f"decoded examples are kept in {cache.folder}: {size / 1e6:,.1f} MB (--cache off: nowhere)")
