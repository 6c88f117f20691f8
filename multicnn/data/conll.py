"""Tagged sentences in CoNLL columns: a word a line, its tag in the last column, an empty line between sentences."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from multicnn.data.blob import Blob
from multicnn.data.documents import read_document
from multicnn.data.endings import COLUMNS, MEDIA, ending, is_archive, part_of
from multicnn.data.example import Example, Trouble
from multicnn.data.examples import DataSet, ExamplePacker
from multicnn.data.spans import bio_tags
from multicnn.data.tree import Tree, open_tree
from multicnn.data.word import Word
from multicnn.errors import InputError, UsageError

NEW_DOCUMENT = "-DOCSTART-"
# A word, perhaps more columns, and a tag at the end.
TAGGED = re.compile(r"\s*\S+[ \t](?:.*[ \t])?(?:O|[BIMELSU]-\S+)\s*")
TAGGED_SHARE = 0.9  # of the lines of tagged sentences, some of which may be broken

Line = tuple[int, list[str]]  # its number, from 1, and its columns


class TaggedFile(NamedTuple):
    """A file of tagged sentences: its name in the data set, where it lies, and the part that it is."""

    name: str
    blob: Blob
    split: str | None

    def sentences(self) -> Iterator[list[Line]]:
        """The lines of each sentence.

        Raises:
            UsageError: the file cannot be read.
        """
        try:
            yield from sentences_of(read_document(self.blob))
        except InputError as error:
            raise UsageError(f"{self.name}: {error}") from error


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
    words = ExamplePacker()
    for file in tagged_files(path, found, data.notes):
        _add(words, file, data.troubles)
    if not words:
        reason = f"; {data.troubles[0]}" if data.troubles else ""
        raise UsageError(f"{path}: no tagged sentence that can be read{reason}")
    data.examples = words.packed()
    return data


def tagged_files(path: str, found: Path | list[str], notes: list[str]) -> list[TaggedFile]:
    """The files of a data set of tagged sentences; the arguments are those of `open_sentences`.

    Args:
        path: as the user called it.
        found: what that means on disk.
        notes: gets what the user should know.

    Raises:
        UsageError: there are none, or several without parts.
    """
    if isinstance(found, Path) and found.is_file() and not is_archive(found.name):
        return [TaggedFile(found.name, Blob(found), None)]
    tree = open_tree(found)
    notes += tree.notes
    return _in_tree(tree, notes)


def is_columns(name: str, text: str) -> bool:
    """Whether a file holds tagged sentences: by its ending, or because nearly all of its lines end with a tag."""
    if ending(name) in COLUMNS:
        return True
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith(NEW_DOCUMENT)]
    tagged = sum(TAGGED.fullmatch(line) is not None for line in lines)
    return len(lines) > 1 and tagged > TAGGED_SHARE * len(lines)


def _in_tree(tree: Tree, notes: list[str]) -> list[TaggedFile]:
    """Train, dev and test, or the only file; goes down where one folder wraps everything."""
    files = [name for name in tree.direct() if ending(name) in MEDIA["tokens"]]
    below = {name.partition("/")[0] for name in tree.files if "/" in name}
    if not files and len(below) == 1:
        return _in_tree(tree.below(below.pop()), notes)
    parts = {name: part for name in files if (part := part_of(Path(name).stem))}
    if not parts and len(files) != 1:
        raise UsageError(
            f"{tree.origin} holds {', '.join(files) or 'no file'}; looked for train, dev and test, or a single file, "
            f"with the ending {' '.join(sorted(MEDIA['tokens']))}"
        )
    if len(set(parts.values())) < len(parts):
        raise UsageError(f"{tree.origin}: two of {', '.join(parts)} mean the same part; remove or rename one")
    strangers = [name for name in files if parts and name not in parts]
    notes += [f"{tree.prefix}{name} was passed over; its name says no part" for name in strangers]
    return [TaggedFile(name, tree.files[name], parts.get(name)) for name in files if name not in strangers]


def _add(words: ExamplePacker, file: TaggedFile, troubles: list[Trouble]) -> None:
    for lines in file.sentences():
        try:
            words.extend(_words(file.name, lines, file.split))
        except InputError as error:
            troubles.append(Trouble(f"{file.name}:{lines[0][0]}", str(error)))


def sentences_of(text: str) -> Iterator[list[Line]]:
    """The lines between empty ones, without those that begin a document."""
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
