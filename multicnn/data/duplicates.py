"""Examples with the same content, and groups that must not be torn apart."""

import hashlib
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from multicnn.data.blob import Blob
from multicnn.data.examples import Examples
from multicnn.data.excerpt import Excerpt
from multicnn.data.strings import Strings, Values
from multicnn.data.word import Word
from multicnn.errors import InputError


def groups_of(examples: Examples, duplicates: bool) -> np.ndarray:
    """A number for each example, [examples]; those that must stay together, and only those, have the same.

    Args:
        examples: pictures, sounds, texts or words.
        duplicates: whether equal content stays together; what has one group always does.
    """
    contents = content_numbers(examples, recordings=True) if duplicates else np.arange(len(examples))
    return merge_groups(contents, examples.groups)


def content_numbers(examples: Examples, *, recordings: bool = False) -> np.ndarray:
    """The place of the first example with the same content as each, [examples].

    Only files whose sizes coincide are read. A file that cannot be read is like no other.

    Args:
        examples: pictures, sounds or texts.
        recordings: whether excerpts of one recording count as the same content: they share its voice and its room.
    """
    if isinstance(examples.contents, Strings):
        return examples.contents.firsts()
    files = _file_keys({blob for content in examples.contents if (blob := blob_of(content)) is not None})
    first: dict[Hashable, int] = {}
    keys = (_key(number, content, files, recordings) for number, content in enumerate(examples.contents))
    return np.array([first.setdefault(key, number) for number, key in enumerate(keys)], np.int32)


def blob_of(content: object) -> Blob | None:
    """Where the bytes lie; None for a text."""
    if isinstance(content, Excerpt):
        return content.source
    return content if isinstance(content, Blob) else None


def _key(number: int, content: object, files: dict[Blob, str], recordings: bool) -> Hashable:
    if isinstance(content, Word):
        return content.place, content.sentence
    source = blob_of(content)
    key = files.get(source, f"unreadable:{number}") if source else f"unreadable:{number}"
    return f"{key}@{content}" if isinstance(content, Excerpt) and not recordings else key


def _file_keys(blobs: set[Blob]) -> dict[Blob, str]:
    """A key for each file or member of an archive that can be read."""
    sizes = {blob: size for blob in blobs if (size := _size(blob)) is not None}
    common = Counter(sizes.values())
    # In the order in which they lie on disk, so that an archive is read once from front to back.
    ordered = sorted(sizes, key=lambda blob: (str(blob.path), blob.offset))
    keys = {}
    with _Source() as source:
        for number, blob in enumerate(ordered):
            if common[sizes[blob]] == 1:
                keys[blob] = f"only:{number}"
            elif (data := source.read(blob)) is not None:
                keys[blob] = f"bytes:{hashlib.blake2b(data, digest_size=20).hexdigest()}"
    return keys


def merge_groups(contents: np.ndarray, groups: Values) -> np.ndarray:
    """Joins what has the same content or the same group, and what is linked through others.

    Args:
        contents: the number of each example's content, from 0 on, [examples].
        groups: the group of each example, or None where it has none.

    Returns:
        A number for each example; linked examples, and only those, have the same.
    """
    named = np.flatnonzero(~groups.are(None))
    if not len(named):
        return contents
    from scipy.sparse import coo_array  # takes a while, and most data have no groups
    from scipy.sparse.csgraph import connected_components

    # A graph of contents and groups, in which each example is an edge.
    size = int(contents.max()) + 1
    ends = contents[named], size + groups.numbers[named]
    nodes = int(ends[1].max()) + 1
    links = coo_array((np.ones(len(named), bool), ends), shape=(nodes, nodes))
    return np.asarray(connected_components(links, directed=False)[1][contents])


def _size(blob: Blob) -> int | None:
    try:
        return blob.length()
    except InputError:
        return None


class _Source:
    """Reads blobs and keeps the last file open: members of one archive come one after the other."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.file: BinaryIO | None = None

    def __enter__(self) -> "_Source":
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    def read(self, blob: Blob) -> bytes | None:
        """The bytes, or None where they cannot be read."""
        if blob.size is None:
            try:
                return blob.read()
            except InputError:
                return None
        try:
            if blob.path != self.path or self.file is None:
                self.__exit__()
                self.file, self.path = blob.path.open("rb"), blob.path
            self.file.seek(blob.offset)
            data = self.file.read(blob.size)
        except OSError:
            return None
        return data if len(data) == blob.size else None
