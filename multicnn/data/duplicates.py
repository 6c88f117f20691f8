"""Examples with the same content, and groups that must not be torn apart."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from multicnn.data.blob import Blob
from multicnn.data.example import Example
from multicnn.errors import InputError


def content_keys(examples: Sequence[Example]) -> list[str]:
    """A key for each example; equal content has equal keys, and only equal content.

    Only files whose sizes coincide are read. A file that cannot be read is like no other.

    Args:
        examples: pictures, sounds or texts.
    """
    keys = [_text_key(e.content) if isinstance(e.content, str) else "" for e in examples]
    sizes = {i: _size(e.content) for i, e in enumerate(examples) if isinstance(e.content, Blob)}
    common = Counter(sizes.values())
    alike = [i for i, size in sizes.items() if size is not None and common[size] > 1]
    for i in sizes.keys() - set(alike):
        keys[i] = f"only:{i}"
    # In the order in which they lie on disk, so that an archive is read once from front to back.
    where = {i: content for i in alike if isinstance(content := examples[i].content, Blob)}
    with _Source() as source:
        for i, blob in sorted(where.items(), key=lambda item: (str(item[1].path), item[1].offset)):
            data = source.read(blob)
            keys[i] = f"only:{i}" if data is None else f"bytes:{hashlib.blake2b(data, digest_size=20).hexdigest()}"
    return keys


def merge_groups(content_keys: Sequence[str], groups: Sequence[str | None]) -> list[int]:
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

    first: dict[tuple[str, str], int] = {}
    for i, (content, group) in enumerate(zip(content_keys, groups, strict=True)):
        links = [("content", content)] if group is None else [("content", content), ("group", group)]
        for link in links:
            parent[find(i)] = find(first.setdefault(link, i))
    return [find(i) for i in range(len(parent))]


def _text_key(text: str) -> str:
    return "text:" + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


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
