"""gensim's KeyedVectors, put together, or from a file: a pickle, which can name code to run. Only data is let in."""

import pickle
from gzip import GzipFile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

# The first byte of every pickle since Python 2.3; in no text in UTF-8.
PICKLE = b"\x80"
ARRAYS = {
    (module, name)
    for module, name in (
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    )
}
VECTORS = ("gensim.models.keyedvectors", "KeyedVectors")


class _Saved:
    """What a pickled object held; stands in for its class, whose own code does not run."""


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == VECTORS:
            return _Saved
        if (module, name) in ARRAYS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"it asks for {module}.{name}; save words and numbers alone, with wv.save_word2vec_format(FILE)"
        )


def read_keyed_vectors(file: GzipFile | BinaryIO, path: Path) -> Any:
    """Reads what gensim 4 wrote with `KeyedVectors.save`.

    Args:
        file: open at its beginning; plain.
        path: where it lies; large arrays lie beside it, in files of their own.

    Returns:
        gensim's KeyedVectors.

    Raises:
        ValueError: it holds something else, or asks for code to be run; or a file beside it is not there.
    """
    try:
        saved = _DataOnly(file).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, KeyError, MemoryError) as error:
        raise ValueError(str(error)) from error
    held = vars(saved) if isinstance(saved, _Saved) else {}
    words = held.get("index_to_key")
    matrix = _beside(path, "vectors") if "vectors" in held.get("__numpys", ()) else held.get("vectors")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("it is a pickle without gensim 4's list of words")
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind != "f" or len(matrix) < len(words):
        raise ValueError("it is a pickle without a vector for each word")
    return keyed_vectors(words, np.asarray(matrix[: len(words)], dtype=np.float32))


def keyed_vectors(words: list[str], matrix: np.ndarray) -> Any:
    """gensim's KeyedVectors of some words.

    Args:
        words: the most frequent first.
        matrix: their vectors, float32 [words, dimensions]; may be mapped from a file, and is not copied.
    """
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(matrix.shape[1])
    vectors.vectors = matrix
    vectors.index_to_key = words
    vectors.key_to_index = {word: place for place, word in enumerate(words)}
    return vectors


def _beside(path: Path, name: str) -> np.ndarray:
    """An array that gensim wrote into a file of its own."""
    packed = path.suffix == ".gz"
    beside = path.with_name(f"{path.name}.{name}.{'npz' if packed else 'npy'}")
    if not beside.is_file():
        raise ValueError(f"its numbers are in {beside.name}, which is not beside it")
    found = np.load(beside, mmap_mode=None if packed else "r", allow_pickle=False)
    array: np.ndarray = found["val"] if packed else found
    return array
