"""Examples with the same content, and groups that must not be torn apart."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import BinaryIO

from multicnn.data.blob import Blob
from multicnn.data.example import Example
from multicnn.data.excerpt import Excerpt
from multicnn.data.word import Word
from multicnn.errors import InputError


def groups_of(examples: Sequence[Example], duplicates: bool) -> list[int]:
    """A number for each example; those that must stay together have the same.

    Args:
        examples: pictures, sounds, texts or words.
        duplicates: whether equal content stays together; what has one group always does.
    """
    contents = content_keys(examples, recordings=True) if duplicates else range(len(examples))
    return merge_groups(contents, [example.group for example in examples])


def content_keys(examples: Sequence[Example], *, recordings: bool = False) -> Sequence[Hashable]:
    """A key for each example; equal content has equal keys, and only equal content.

    Only files whose sizes coincide are read. A file that cannot be read is like no other.

    Args:
        examples: pictures, sounds or texts.
        recordings: whether excerpts of one recording count as the same content: they share its voice and its room.
    """
    files = _file_keys({blob for e in examples if (blob := blob_of(e.content)) is not None})
    return [_key(number, e.content, files, recordings) for number, e in enumerate(examples)]


def blob_of(content: object) -> Blob | None:
    """Where the bytes lie; None for a text."""
    if isinstance(content, Excerpt):
        return content.source
    return content if isinstance(content, Blob) else None


def _key(number: int, content: object, files: dict[Blob, str], recordings: bool) -> Hashable:
    if isinstance(content, Word):
        return content.place, content.sentence
    if isinstance(content, str):
        return content  # itself: a million texts need no second copy
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


def merge_groups(content_keys: Sequence[Hashable], groups: Sequence[str | None]) -> list[int]:
    """Joins what has the same content or the same group, and what is linked through others.

    Args:
        content_keys: the content of each example.
        groups: the group of each example, or None where it has none.

    Returns:
        A number for each example; linked examples, and only those, have the same.
    """
    parent = list(range(len(content_keys)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for keys in (content_keys, groups):
        first: dict[Hashable, int] = {}
        for i, key in enumerate(keys):
            if key is not None and (linked := first.setdefault(key, i)) != i:
                parent[find(i)] = find(linked)
    return [find(i) for i in range(len(parent))]


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
