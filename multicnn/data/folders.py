"""Examples from folders named after their classes."""

from multicnn.data.blob import Blob
from multicnn.data.documents import read_document
from multicnn.data.example import Example, Trouble
from multicnn.data.request import Opening
from multicnn.data.tree import Tree
from multicnn.errors import InputError


def add_classes(opening: Opening, tree: Tree, split: str | None) -> None:
    """Adds the files of a tree; the first folder on a file's way is its class.

    Files in no folder have no class: they are examples only where no label is needed.

    Args:
        opening: the data set.
        tree: the folder that holds the class folders.
        split: the part that it is.
    """
    loose = []
    for name, blob in tree.files.items():
        if not opening.is_media(name) or tree.prefix + name in opening.used:
            continue
        label, slash, _ = name.partition("/")
        if slash or not opening.labelled:
            add_file(opening, tree.prefix + name, blob, label if slash else None, split)
        else:
            loose.append(name)
    note_loose(opening, tree, loose)


def note_loose(opening: Opening, tree: Tree, names: list[str]) -> None:
    """Notes files that lie beside class folders and not in them, if there are any."""
    if names:
        where = f" of {tree.prefix.rstrip('/')}" if tree.prefix else ""
        count = "1 file" if len(names) == 1 else f"{len(names):,} files"
        opening.data.notes.append(
            f"{count}{where} in no class folder passed over: {names[0]}{', ...' * (len(names) > 1)}"
        )


def add_file(opening: Opening, name: str, blob: Blob, label: str | None, split: str | None) -> None:
    """Adds one file; a text is read now, and is a trouble where it cannot be."""
    content: Blob | str = blob
    if opening.data.kind == "text":
        try:
            content = read_document(blob)
        except InputError as error:
            opening.data.troubles.append(Trouble(name, str(error)))
            return
    opening.examples.add(Example(name, content, label, split))
