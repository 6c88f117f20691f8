"""Examples from the rows of a manifest."""

from collections.abc import Iterator

from multicnn.data.blob import Blob
from multicnn.data.documents import read_document
from multicnn.data.endings import PARTS, part_of
from multicnn.data.example import Example, Trouble
from multicnn.data.excerpt import Excerpt, excerpt_of
from multicnn.data.headers import Picked, pick
from multicnn.data.request import Files, Opening
from multicnn.data.tables import Row, Table, read_table
from multicnn.errors import InputError, UsageError


def add_manifest(opening: Opening, name: str, blob: Blob, files: Files, split: str | None) -> None:
    """Adds the rows of a manifest to a data set.

    Args:
        opening: the data set.
        name: the manifest's name, which the rows of texts are named by.
        blob: where it lies.
        files: where its paths lead, unless a root was given.
        split: the part that its own name says; it comes before a split column.

    Raises:
        UsageError: it cannot be read, lacks a column, or a split is none that is known.
    """
    opening.manifests = True
    data = opening.data
    table = read_table(name, blob)
    picked = pick(name, table.columns, data.kind, opening.columns, opening.labelled)
    if split is not None and picked.split is not None:
        picked.notes.append(f"{name}: the file's name says the part; its column {table.columns[picked.split]} does not")
    data.notes += table.notes + picked.notes
    for found in _examples(name, table, picked, opening, opening.root or files, split):
        if isinstance(found, Example):
            opening.examples.add(found)
        else:
            data.troubles.append(found)


def _examples(
    name: str, table: Table, picked: Picked, opening: Opening, files: Files, split: str | None
) -> Iterator[Example | Trouble]:
    """Row by row, an example or what is wrong with the row."""
    text, label_at, labelled = picked.text, picked.label, opening.labelled
    split_at = picked.split if split is None else None
    for found in table.rows:
        if isinstance(found, Trouble):
            yield found
            continue
        number, row = found
        label = row[label_at] if label_at is not None else None
        if not label or label.isspace():
            if labelled:
                yield Trouble(f"{name}:{number}", "the label is empty")
                continue
            label = None
        part = split if split_at is None else _part(row[split_at], labelled, name, number)
        fold = row[picked.fold] if picked.fold is not None else None
        group = row[picked.group] if picked.group is not None else None
        if text is not None:
            yield Example(f"{name}:{number}", row[text] or "", label, part, fold or None, group or None)
            continue
        file = _find(row, picked, opening, files, f"{name}:{number}")
        if isinstance(file, Trouble):
            yield file
        else:
            yield Example(*file, label, part, fold or None, group or None)


def _find(
    row: Row, picked: Picked, opening: Opening, files: Files, where: str
) -> tuple[str, Blob | Excerpt | str] | Trouble:
    """The name and the content of the file that a row means."""
    written = row[picked.path] if picked.path is not None else None
    if not written:
        return Trouble(where, "the path is empty")
    found = files.find(written)
    if found is None:
        return Trouble(written, f"there is no such file in {files.where} ({where}); --root names another place")
    name, blob = found
    try:
        return (name, read_document(blob)) if opening.data.kind == "text" else excerpt_of(name, blob, *picked.span(row))
    except InputError as error:
        return Trouble(name, str(error))


def _part(value: str | None, labelled: bool, name: str, number: int) -> str | None:
    """What a split column says.

    Raises:
        UsageError: it says nothing that is known, and the data are to be learnt from.
    """
    part = part_of(value or "")
    if part is None and labelled:
        raise UsageError(f"{name}:{number}: the split is {value or ''!r}, not one of {', '.join(PARTS)}")
    return part
