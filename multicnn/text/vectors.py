"""Pretrained word vectors from files, read by gensim."""

import gzip
from pathlib import Path
from typing import Any

from multicnn.errors import UsageError


def open_vectors(path: str | Path) -> Any:
    """Reads word2vec's formats (binary and text), fastText's .vec and GloVe's (a text without a first line of counts).

    Args:
        path: the file, plain or .gz.

    Returns:
        gensim's KeyedVectors: `key_to_index` has the words, `vectors` is float32 [words, dimensions].

    Raises:
        UsageError: there is no such file, or it is of another format.
    """
    from gensim.models import KeyedVectors

    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file of word vectors {path}")
    binary = ".bin" in path.suffixes
    try:
        headless = not binary and not _has_counts(path)
        vectors = KeyedVectors.load_word2vec_format(str(path), binary=binary, no_header=headless)
    except (ValueError, EOFError, OSError, IndexError, TypeError) as error:
        raise UsageError(f"{path} holds no word vectors of word2vec, fastText or GloVe ({error})") from error
    if not len(vectors) or not vectors.vector_size:
        raise UsageError(f"{path} holds no word vectors of word2vec, fastText or GloVe")
    return vectors


def _has_counts(path: Path) -> bool:
    """Whether the first line says how many words and dimensions follow, as word2vec's and fastText's does."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        first = file.readline().split()
    return len(first) == 2 and all(part.isdigit() for part in first)
