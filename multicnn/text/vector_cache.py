"""Word vectors as they are read most quickly: a matrix that is mapped into memory, and its words. Torch-free."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from multicnn.data.files import write_atomically
from multicnn.errors import MulticnnError


def vectors_folder() -> Path:
    """Where they are kept: in `MULTICNN_CACHE`, or in the user's folder for caches."""
    own = os.environ.get("MULTICNN_CACHE")
    users = os.environ.get("XDG_CACHE_HOME")
    return (Path(own) if own else (Path(users) if users else Path.home() / ".cache") / "multicnn") / "vectors"


def kept_vectors(path: Path) -> Any:
    """The vectors of a file that was read before and has not changed since; None where they are not kept.

    Args:
        path: the file that they come from.

    Returns:
        gensim's KeyedVectors, whose numbers are read from the disk when they are looked at.
    """
    from gensim.models import KeyedVectors

    matrix, words = _places(path)
    try:
        about = json.loads(words.read_text(encoding="utf-8"))
        if about["file"] != _state(path):
            return None
        vectors = KeyedVectors(about["length"])
        vectors.vectors = np.load(matrix, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, KeyError, TypeError):  # the file itself can still be read
        return None
    if vectors.vectors.shape != (len(about["words"]), about["length"]):
        return None
    vectors.index_to_key = about["words"]
    vectors.key_to_index = {word: place for place, word in enumerate(about["words"])}
    return vectors


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
        print(f"multicnn: {path} is kept in {matrix.parent} for the next time ({size})", file=sys.stderr, flush=True)
        _save(matrix, vectors.vectors)
        about = {"file": _state(path), "length": vectors.vector_size, "words": vectors.index_to_key}
        write_atomically(words, json.dumps(about, ensure_ascii=False))  # last: without it the matrix does not count
    except (OSError, MulticnnError) as error:
        print(f"multicnn: {path} is not kept for the next time: {error}", file=sys.stderr, flush=True)


def _places(path: Path) -> tuple[Path, Path]:
    """The files of the matrix and of the words."""
    name = f"{path.name}-{hashlib.sha256(str(path.resolve()).encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
    return vectors_folder() / f"{name}.npy", vectors_folder() / f"{name}.json"


def _state(path: Path) -> list[int]:
    """What changes when a file is written anew: its size, and when it was written, in nanoseconds."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _save(path: Path, matrix: np.ndarray) -> None:
    """Writes an array beside its place, syncs and renames it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.save(file, np.asarray(matrix, dtype=np.float32), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
