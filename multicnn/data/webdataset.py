"""WebDataset naming: `key.jpg` with its label beside it, in `key.cls` or in `key.json`."""

import json
from collections import defaultdict

from multicnn.data.blob import Blob
from multicnn.data.endings import ending
from multicnn.data.example import Trouble
from multicnn.data.folders import add_file
from multicnn.data.headers import label_key
from multicnn.data.request import Opening
from multicnn.data.tables import as_written
from multicnn.data.tree import Tree
from multicnn.errors import InputError, UsageError

_SIDES = (".cls", ".json")


def add_webdataset(opening: Opening, tree: Tree, split: str | None) -> bool:
    """Adds the files of a tree, if any has a label file beside it.

    A key is a path up to the first dot of its last piece, as in WebDataset's own reader.

    Args:
        opening: the data set.
        tree: the members of the archives, or the files of a folder.
        split: the part that they are.

    Returns:
        Whether the tree is named so; otherwise nothing was added.

    Raises:
        UsageError: a .json file is there, but none of its keys is the label.
    """
    if not any(name.endswith(_SIDES) for name in tree.files):
        return False
    members: dict[str, list[str]] = defaultdict(list)
    for name in tree.files:
        members[_key(name)].append(name)
    media = {key: [n for n in names if opening.is_media(n)] for key, names in members.items()}
    sides = {key: [n for n in names if ending(n) in _SIDES] for key, names in members.items()}
    if not any(media[key] and sides[key] for key in members):
        return False
    for key, names in media.items():
        for name in sides[key]:
            opening.used.add(tree.prefix + name)
        if names:
            _add_key(opening, tree, names, sides[key], split)
    return True


def _add_key(opening: Opening, tree: Tree, names: list[str], sides: list[str], split: str | None) -> None:
    """Adds the first file of a key; its further files and a missing label are troubles."""
    first, *further = names
    for name in further:
        opening.data.troubles.append(Trouble(tree.prefix + name, f"belongs to the same key as {first}"))
    try:
        label = _label(opening, tree, sides)
    except InputError as error:
        opening.data.troubles.append(Trouble(tree.prefix + first, str(error)))
        return
    if opening.labelled and not label:
        opening.data.troubles.append(Trouble(tree.prefix + first, "has no label in a .cls or .json file beside it"))
        return
    add_file(opening, tree.prefix + first, tree.files[first], label or None, split)


def _label(opening: Opening, tree: Tree, sides: list[str]) -> str | None:
    """What the .cls file says, without its line end, or the label of the .json file."""
    for name in sorted(sides, key=ending):
        content = _decoded(name, tree.files[name])
        if ending(name) == ".cls":
            return content.removesuffix("\n").removesuffix("\r")
        try:
            values = json.loads(content, parse_int=str, parse_float=str)
        except ValueError as error:
            raise InputError(f"{name} is no JSON ({error})") from None
        if not isinstance(values, dict):
            raise InputError(f"{name} is no JSON object")
        opening.manifests = opening.manifests or opening.columns.label is not None
        key = label_key(list(values), opening.columns)
        if key is None and opening.labelled:
            raise UsageError(
                f"{tree.prefix}{name} has no label (its keys are: {', '.join(values)}); name it with --label-column"
            )
        return as_written(values[key]) if key is not None else None
    return None


def _decoded(name: str, blob: Blob) -> str:
    try:
        return blob.read().decode()
    except UnicodeDecodeError:
        raise InputError(f"{name} is no UTF-8") from None


def _key(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]
