"""Tagged sentences in CoNLL columns: a word a line, its tag in the last column, an empty line between sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.documents import read_document
from multicnn.data.endings import ending, is_archive, part_of
from multicnn.data.example import DataSet, Example, Trouble
from multicnn.data.spans import bio_tags
from multicnn.data.tree import Tree, open_tree
from multicnn.data.word import Word
from multicnn.errors import InputError, UsageError

ENDINGS = (".conll", ".txt", ".iob")
NEW_DOCUMENT = "-DOCSTART-"

Line = tuple[int, list[str]]  # its number, from 1, and its columns


def open_sentences(path: str, found: Path | list[str]) -> DataSet:
    """Opens tagged sentences: a file, or a folder or an archive with one file, or with train, dev and test in it.

    Each word is an example, its tag the label in BIO, its sentence the group. A sentence with a line that cannot be
    read is left out.

    Args:
        path: as the user called it.
        found: what that means on disk, from `multicnn.data.layout.locate`.

    Raises:
        UsageError: it holds no such files, several without parts, or no sentence that can be read.
    """
    data = DataSet(path, "tokens")
    if isinstance(found, Path) and found.is_file() and not is_archive(found.name):
        _add(data, found.name, Blob(found), None)
    else:
        tree = open_tree(found)
        data.notes += tree.notes
        _add_tree(data, tree)
    if not data.examples:
        reason = f"; {data.troubles[0]}" if data.troubles else ""
        raise UsageError(f"{path}: no tagged sentence that can be read{reason}")
    return data


def _add_tree(data: DataSet, tree: Tree) -> None:
    """Adds train, dev and test, or the only file; goes down where one folder wraps everything."""
    files = [name for name in tree.direct() if ending(name) in ENDINGS]
    below = {name.partition("/")[0] for name in tree.files if "/" in name}
    if not files and len(below) == 1:
        return _add_tree(data, tree.below(below.pop()))
    parts = {name: part for name in files if (part := part_of(Path(name).stem))}
    if not parts and len(files) != 1:
        raise UsageError(
            f"{data.origin} holds {', '.join(files) or 'no file'}; looked for train, dev and test, or a single file, "
            f"with the ending {' '.join(ENDINGS)}"
        )
    if len(set(parts.values())) < len(parts):
        raise UsageError(f"{data.origin}: two of {', '.join(parts)} mean the same part; remove or rename one")
    for name in files:
        if parts and name not in parts:
            data.notes.append(f"{tree.prefix}{name} was passed over; its name says no part")
        else:
            _add(data, name, tree.files[name], parts.get(name))
    return None


def _add(data: DataSet, name: str, blob: Blob, split: str | None) -> None:
    try:
        text = read_document(blob)
    except InputError as error:
        raise UsageError(f"{name}: {error}") from error
    for lines in _sentences(text):
        try:
            data.examples += _words(name, lines, split)
        except InputError as error:
            data.troubles.append(Trouble(f"{name}:{lines[0][0]}", str(error)))


def _sentences(text: str) -> Iterator[list[Line]]:
    """The lines between empty ones."""
    sentence: list[Line] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        columns = re.split(r"[ \t]+", line.strip(" \t\r"))
        if columns[0] and columns[0] != NEW_DOCUMENT:
            sentence.append((number, columns))
        elif sentence:
            yield sentence
            sentence = []


def _words(name: str, lines: list[Line], split: str | None) -> list[Example]:
    """A sentence's words as examples.

    Raises:
        InputError: a line without a tag, or with one that is none.
    """
    single = next((number for number, columns in lines if len(columns) < 2), None)
    if single is not None:
        raise InputError(f"line {single} has one column, and a word and its tag take two")
    sentence = tuple(columns[0] for _, columns in lines)
    try:
        tags = bio_tags([columns[-1] for _, columns in lines])
    except ValueError as error:
        raise InputError(str(error)) from None
    group = f"{name}:{lines[0][0]}"
    return [
        Example(f"{name}:{number}", Word(sentence, place), tag, split, group=group)
        for place, ((number, _), tag) in enumerate(zip(lines, tags, strict=True))
    ]
