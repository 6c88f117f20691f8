"""Word vectors in files, read and written by gensim."""

import sys
import time
from pathlib import Path
from typing import Any

from multicnn.data.files import open_plain, written_whole
from multicnn.errors import MulticnnError, UsageError
from multicnn.text.keyed_vectors import PICKLE, read_keyed_vectors
from multicnn.text.vector_cache import keep_vectors, kept_vectors

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
# Seconds of reading that are worth the disk.
WORTH = 2.0
# What `write_vectors` writes, by the ending.
FORMATS = {"": "text", ".txt": "text", ".vec": "text", ".bin": "binary", ".kv": "gensim"}


def open_vectors(path: str | Path) -> Any:
    """Reads word2vec's formats (binary and text), fastText's .vec and .bin, GloVe's (text without a first line of
    counts), and gensim's KeyedVectors. What takes long is kept and read at once the next time; fastText's .bin is not,
    for its pieces.

    Args:
        path: the file, plain or .gz.

    Returns:
        gensim's KeyedVectors: `key_to_index` has the words, `vectors` is float32 [words, dimensions]. Those of
        fastText's .bin compose vectors of other words too, from pieces of them.

    Raises:
        UsageError: there is no such file, or it is of another format.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file of word vectors {path}")
    if (kept := kept_vectors(path)) is not None:
        return kept
    began = time.monotonic()
    try:
        vectors = _read(path)
    except (ValueError, EOFError, OSError, IndexError, TypeError, NotImplementedError, AssertionError) as error:
        raise UsageError(f"{path} holds no word vectors of word2vec, fastText, GloVe or gensim ({error})") from error
    if not len(vectors) or not vectors.vector_size:
        raise UsageError(f"{path} holds no word vectors of word2vec, fastText, GloVe or gensim")
    if time.monotonic() - began > WORTH and not hasattr(vectors, "vectors_ngrams"):
        keep_vectors(path, vectors)
    return vectors


def _read(path: Path) -> Any:
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    binary = ".bin" in path.suffixes
    with open_plain(path) as file:
        first = file.readline(1 << 16)
        if first.startswith(PICKLE):
            file.seek(0)
            return read_keyed_vectors(file, path)
    if binary and first.startswith(FASTTEXT_MAGIC):
        return load_facebook_vectors(str(path))
    return KeyedVectors.load_word2vec_format(str(path), binary=binary, no_header=not binary and not _are_counts(first))


def _are_counts(line: bytes) -> bool:
    """Whether a first line says how many words and dimensions follow, as word2vec's and fastText's does."""
    parts = line.split()
    return len(parts) == 2 and all(part.isdigit() for part in parts)


def vectors_format(path: Path) -> str:
    """The format of a file to write, by its name: word2vec's `text` or `binary`, both also as .gz, or `gensim`.

    Raises:
        UsageError: the ending means none of them.
    """
    bare = path.with_suffix("") if path.suffix == ".gz" else path
    if bare.suffix not in FORMATS or (bare.suffix == ".kv" and bare != path):
        raise UsageError(f"{path}: word vectors are written as .txt, .vec or .bin (also .gz), or .kv; choose an ending")
    return FORMATS[bare.suffix]


def write_vectors(vectors: Any, path: Path) -> None:
    """Writes word vectors in the format that the file's name says; the file appears as a whole.

    Args:
        vectors: gensim's KeyedVectors.
        path: as in `vectors_format`.

    Raises:
        MulticnnError: the file cannot be written.
    """
    form = vectors_format(path)
    try:
        with written_whole(path) as beside:
            if form == "gensim":
                vectors.save(str(beside), sep_limit=sys.maxsize)  # all in one file
            else:
                vectors.save_word2vec_format(str(beside), binary=form == "binary")
    except OSError as error:
        raise MulticnnError(f"{path} cannot be written: {error.strerror or error}") from error
