"""Lines as they come: from standard input, from a pipe that stays open, from files too large for memory."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from multicnn.data.blob import Blob
from multicnn.data.example import Example, Trouble
from multicnn.pipeline import Kind


class Line(NamedTuple):
    """A text that is its own name; an Example takes several times as long to make, which shows over millions."""

    name: str

    def load(self) -> str:
        """The text."""
        return self.name


Item = Example | Line | Trouble

# Bytes asked for at a time, some two thousand lines of text: what is done with them finds its data in the cache.
READ_SIZE = 1 << 18
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Texts, a line each, as they were read: what handles them by the thousand needs no item for each.

    Attributes:
        content: the lines, with a separator between two.
        separator: a line feed or a NUL byte.
    """

    content: bytes
    separator: bytes

    def items(self) -> list[Item]:
        """An item a line."""
        return [line_item(line) for line in self.content.split(self.separator)]

    def texts(self) -> list[str] | None:
        """The lines; None where one is not UTF-8."""
        try:
            return self.content.decode().split(self.separator.decode())
        except UnicodeDecodeError:
            return None


Chunk = list[Item] | Block


def chunks_of_lines(kind: Kind, descriptor: int, separator: bytes = b"\n") -> Iterator[Chunk]:
    """The lines of an open file, as many at a time as have arrived.

    Args:
        kind: a line is a text for `text` and `tokens`, the path of a file for `image` and `audio`.
        descriptor: an open file, pipe or terminal.
        separator: a line feed or a NUL byte.
    """
    for content in read_blocks(descriptor, separator):
        is_text = kind in ("text", "tokens")
        yield Block(content, separator) if is_text else list(map(path_item, content.split(separator)))


def read_blocks(descriptor: int, separator: bytes = b"\n") -> Iterator[bytes]:
    """The lines that come from a file descriptor, a separator between two, as many at a time as have arrived.

    Unlike Python's buffered files it never waits for a buffer to fill, and a thread that waits in it does not hold up
    the end of the process. A last line without an end counts; a byte order mark, and a carriage return before a line
    feed, do not belong to a line.

    Args:
        descriptor: an open file, pipe or terminal.
        separator: one byte.
    """
    _widen(descriptor)
    unfinished: list[bytes] = []
    first = True
    while read := os.read(descriptor, READ_SIZE):
        lines, end, begun = read.rpartition(separator)
        if end:
            yield _bare(b"".join([*unfinished, lines]), separator, first)
            unfinished, first = [], False
        unfinished.append(begun)
    if any(unfinished):
        yield _bare(b"".join(unfinished), separator, first)


def _widen(descriptor: int) -> None:
    """Lets a pipe hold as much as is read at a time; those of Linux hold 64 KB otherwise."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, READ_SIZE)


def _bare(lines: bytes, separator: bytes, first: bool) -> bytes:
    if first:
        lines = lines.removeprefix(BYTE_ORDER_MARK)
    return lines.replace(b"\r\n", b"\n").removesuffix(b"\r") if separator == b"\n" else lines


def line_item(line: bytes) -> Item:
    """A text as it was read."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return text_item(line.decode("utf-8", "surrogateescape"))
    return Line(text) if text else text_item(text)


def text_item(text: str) -> Item:
    """A text; bytes of it that are not UTF-8 are lone surrogates here, as in command-line arguments."""
    if not text:
        return Trouble("", "the text is empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        return Trouble(text, "the text is not UTF-8; convert it first (iconv -f latin1 -t utf-8)")
    return Line(text)


def path_item(line: bytes) -> Item:
    """A file by name. Whether it is there shows when its turn to be read comes."""
    name = line.decode("utf-8", "surrogateescape")
    return Example(name, Blob(Path(name))) if name else Trouble("", "the path is empty")
