"""What `predict` is asked about: files, folders, patterns, archives, manifests, lines and texts, in order."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import glob
from itertools import islice
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.endings import MANIFESTS, MEDIA, ending, is_archive
from multicnn.data.example import Example, Trouble
from multicnn.data.order import natural_key
from multicnn.data.request import Columns
from multicnn.data.tree import open_tree
from multicnn.errors import UsageError, did_you_mean
from multicnn.inference.lines import Block, Chunk, Item, chunks_of_lines, text_item
from multicnn.pipeline import Kind

STANDARD_INPUT = "-"
PATTERN = "*?["
SAMPLE = "sample:"
ROWS = 256  # rows of a manifest that are handed on at a time


def _say_nothing(note: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line names.

    Attributes:
        inputs: files, folders, patterns, archives, manifests, `sample:NAME`, or `-` for standard input.
        texts: single texts; they come before the inputs.
        lines: named files hold one text a line.
        nul: standard input is separated by NUL bytes and not by line ends.
        columns: names of a manifest's columns.
        root: where a manifest's paths start from.
        note: told what the user should know and is no fault.
        stdin: the file descriptor that `-` stands for.
    """

    inputs: Sequence[str] = ()
    texts: Sequence[str] = ()
    lines: bool = False
    nul: bool = False
    columns: Columns = field(default_factory=Columns)
    root: str | None = None
    note: Callable[[str], None] = _say_nothing
    stdin: int = 0

    @property
    def live(self) -> bool:
        """Whether more may come at any time, so that what is there is answered without waiting for a full batch."""
        return self.lines or STANDARD_INPUT in self.inputs

    @property
    def has_rows(self) -> bool:
        """Whether a manifest is among the inputs, so that columns and a root mean something."""
        return not self.lines and any(ending(name) in MANIFESTS for name in self.inputs)


def items(kind: Kind, request: Request) -> Iterator[list[Item]]:
    """All that is asked for, in order, as many at a time as are known without waiting.

    Args:
        kind: what the model reads; one that tags words (`tokens`) is asked about texts, and files of tagged ones.
        request: the command line.

    Yields:
        An Example for what is to be read, a Trouble for what cannot be.

    Raises:
        UsageError: the only input is a manifest or an archive that cannot be opened.
    """
    for chunk in chunks(kind, request):
        yield chunk.items() if isinstance(chunk, Block) else chunk


def chunks(kind: Kind, request: Request) -> Iterator[Chunk]:
    """The same, but for lines of texts, which stay together as they were read."""
    for text in request.texts:
        yield [text_item(text)]
    for name in request.inputs:
        try:
            yield from _named(kind, name, request)
        except UsageError as error:
            if len(request.inputs) + len(request.texts) == 1:
                raise
            yield [Trouble(name, str(error))]


def _named(kind: Kind, name: str, request: Request) -> Iterator[Chunk]:
    """What one INPUT stands for. A name that exists is taken as it is, even with a `*` in it."""
    path = Path(name)
    if name == STANDARD_INPUT:
        yield from _lines(kind, name, request.stdin, b"\0" if request.nul else b"\n")
    elif request.lines and path.exists():
        yield from _lines_of_file(kind, name)
    elif path.is_dir() or (path.is_file() and is_archive(name)):
        yield from _tree(kind, name, request)
    elif name.startswith(SAMPLE) or (path.exists() and ending(name) in MANIFESTS and not request.lines):
        yield from _rows(kind, name, request)
    elif path.exists():
        yield [Example(name, Blob(path))]
    else:
        yield from _pattern(kind, name, request)


def _lines(kind: Kind, name: str, descriptor: int, separator: bytes) -> Iterator[Chunk]:
    """An open file line by line; one that cannot be read (a folder, a closed standard input) is an item itself."""
    try:
        yield from chunks_of_lines(kind, descriptor, separator)
    except OSError as error:
        yield [Trouble(name, f"it cannot be read line by line ({error.strerror})")]


def _lines_of_file(kind: Kind, name: str) -> Iterator[Chunk]:
    try:
        descriptor = os.open(name, os.O_RDONLY)
    except OSError as error:
        yield [Trouble(name, f"the file cannot be opened ({error.strerror})")]
        return
    try:
        yield from _lines(kind, name, descriptor, b"\n")
    finally:
        os.close(descriptor)


def _tree(kind: Kind, name: str, request: Request) -> Iterator[list[Item]]:
    """The files of a folder or an archive that have the right endings, in natural order."""
    tree = open_tree(name)
    media = [inside for inside in tree.files if ending(inside) in MEDIA[kind]]
    strangers = len(tree.files) - len(media)
    for remark in tree.notes:
        request.note(remark)
    if not media:
        endings = " ".join(sorted(MEDIA[kind]))
        yield [Trouble(name, f"nothing in it can be classified: none of its {strangers:,} files ends in {endings}")]
    elif strangers:
        request.note(f"{name}: {strangers:,} files with other endings were passed over")
    yield [Example(f"{name.rstrip('/')}/{inside}", tree.files[inside]) for inside in media]


def _rows(kind: Kind, name: str, request: Request) -> Iterator[list[Item]]:
    """A manifest's rows."""
    from multicnn.inference.rows import rows

    there = rows("text" if kind == "tokens" else kind, name, request.columns, request.root, request.note)
    while some := list(islice(there, ROWS)):
        yield some


def _pattern(kind: Kind, name: str, request: Request) -> Iterator[Chunk]:
    """What a pattern matches, in natural order, or that nothing is there. `**` finds the files in folders by itself."""
    is_pattern = any(sign in name for sign in PATTERN)
    matches = sorted(glob(name, recursive=True), key=natural_key) if is_pattern else []  # noqa: PTH207 absolute ones too
    if "**" in name:
        matches = [match for match in matches if not Path(match).is_dir()]
    if matches:
        for match in matches:
            yield from _named(kind, match, request)
        return
    what = "nothing matches this pattern" if is_pattern else f"there is no such file{_nearest(Path(name))}"
    yield [Trouble(name, what)]


def _nearest(path: Path) -> str:
    """`; did you mean X?` with a neighbour of nearly that name."""
    try:
        return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()])
    except OSError:
        return ""
