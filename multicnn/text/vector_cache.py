"""Word vectors as they are read most quickly: a matrix that is mapped into memory, and its words. Torch-free."""

import datetime
import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from multicnn.data.files import user_cache, write_atomically, written_whole
from multicnn.errors import MulticnnError, tell
from multicnn.text.keyed_vectors import keyed_vectors


def vectors_folder() -> Path:
    """Where they are kept."""
    return user_cache() / "vectors"


def all_kept() -> list[dict[str, Any]]:
    """Vectors of all files, the last used first: `data` (the file's name), `bytes`, day of the last use, `files`."""
    there = sorted(vectors_folder().glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [_about(words, words.with_suffix(".npy")) for words in there]


def _about(words: Path, matrix: Path) -> dict[str, Any]:
    files = [path for path in (words, matrix) if path.exists()]
    return {
        "data": words.stem.rpartition("-")[0],
        "bytes": sum(path.stat().st_size for path in files),
        "used": datetime.date.fromtimestamp(words.stat().st_mtime).isoformat(),
        "files": [str(path) for path in files],
    }


def kept_vectors(path: Path) -> Any:
    """The vectors of a file that was read before and has not changed since; None where they are not kept.

    Args:
        path: the file that they come from.

    Returns:
        gensim's KeyedVectors, whose numbers are read from the disk when they are looked at.
    """
    matrix, words = _places(path)
    try:
        about = json.loads(words.read_text(encoding="utf-8"))
        if about["file"] != _state(path):
            return None
        shape = len(about["words"]), about["length"]
        numbers = np.load(matrix, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, KeyError, TypeError):  # the file itself can still be read
        return None
    if numbers.shape != shape:
        return None
    with suppress(OSError):  # the cache may belong to somebody else
        words.touch()
    return keyed_vectors(about["words"], numbers)


def keep_vectors(path: Path, vectors: Any) -> None:
    """Keeps vectors for the next time, where the disk has room for twice their size; one line on stderr says so.

    Args:
        path: the file that they come from.
        vectors: gensim's KeyedVectors.
    """
    matrix, words = _places(path)
    try:
        matrix.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(matrix.parent).free < 2 * vectors.vectors.nbytes:
            return
        size = f"{vectors.vectors.nbytes / 1e6:,.1f} MB"
        tell(f"{path} is kept in {matrix.parent} for the next time ({size})")
        with written_whole(matrix) as beside:
            np.save(beside, np.asarray(vectors.vectors, dtype=np.float32), allow_pickle=False)
        about = {"file": _state(path), "length": vectors.vector_size, "words": vectors.index_to_key}
        write_atomically(words, json.dumps(about, ensure_ascii=False))  # last: without it the matrix does not count
    except (OSError, MulticnnError) as error:
        tell(f"{path} is not kept for the next time: {error}")


def _places(path: Path) -> tuple[Path, Path]:
    """The files of the matrix and of the words."""
    name = f"{path.name}-{hashlib.sha256(str(path.resolve()).encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
    return vectors_folder() / f"{name}.npy", vectors_folder() / f"{name}.json"


def _state(path: Path) -> list[int]:
    """What changes when a file is written anew: its size, and when it was written, in nanoseconds."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
