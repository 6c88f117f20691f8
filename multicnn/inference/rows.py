"""The rows of a manifest that is to be classified, in its own order, broken rows included."""

from collections.abc import Callable, Iterator
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.example import Example, Trouble
from multicnn.data.excerpt import excerpt_of
from multicnn.data.headers import Picked, pick
from multicnn.data.locate import FolderFiles, TreeFiles, open_root
from multicnn.data.request import Columns
from multicnn.data.tables import Row, read_table
from multicnn.errors import InputError
from multicnn.inference.lines import Item
from multicnn.pipeline import Kind

SAMPLE = "sample:"


def rows(kind: Kind, name: str, columns: Columns, root: str | None, note: Callable[[str], None]) -> Iterator[Item]:
    """The rows of a manifest, or the examples of a sample; labels are not needed and not looked at.

    Args:
        kind: what the model reads.
        name: the manifest as the user named it, or `sample:NAME`.
        columns: names of columns.
        root: where its paths start from, if not from its own folder.
        note: told what the user should know.

    Yields:
        An item a row, in order.

    Raises:
        UsageError: the manifest cannot be read or has no column to read.
    """
    if name.startswith(SAMPLE):
        from multicnn.data.layout import open_dataset

        yield from open_dataset(name, kind, columns=columns, root=root, labelled=False).examples
        return
    path = Path(name)
    table = read_table(name, Blob(path))
    picked = pick(name, table.columns, kind, columns, labelled=False)
    files = open_root(root) if root is not None else FolderFiles(path.parent)
    for remark in [*table.notes, *picked.notes]:
        note(remark)
    for row in table.rows:
        yield row if isinstance(row, Trouble) else _item(f"{name}:{row[0]}", row[1], picked, files)


def _item(where: str, row: Row, picked: Picked, files: FolderFiles | TreeFiles) -> Item:
    """What one row asks about."""
    if picked.text is not None:
        text = row[picked.text]
        return Example(where, text) if text else Trouble(where, "the text is empty")
    written = row[picked.path] if picked.path is not None else None
    if not written:
        return Trouble(where, "the path is empty")
    found = files.find(written)
    if found is None:
        return Trouble(written, f"there is no such file in {files.where} ({where}); --root names another place")
    try:
        return Example(*excerpt_of(*found, *picked.span(row)))
    except InputError as error:
        return Trouble(found[0], str(error))
