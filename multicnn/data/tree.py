"""Files by relative path; a folder and archives look the same."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multicnn.data.archive import members
from multicnn.data.blob import Blob
from multicnn.data.endings import ARCHIVES, is_archive, part_of
from multicnn.data.order import natural_key
from multicnn.errors import UsageError


@dataclass(slots=True)
class Tree:
    """The files of a folder or of archives, in natural order of their paths.

    Hidden files and folders and `__MACOSX` are not in it.

    Args:
        origin: what the user called it.
        files: posix paths relative to the tree, and where their bytes lie.
        prefix: the path from the data set's top down to this tree, ending in `/`, or empty.
        notes: what the user should know.
    """

    origin: str
    files: dict[str, Blob]
    prefix: str = ""
    notes: list[str] = field(default_factory=list)

    def below(self, folder: str) -> "Tree":
        """The tree inside one of its folders."""
        start = folder + "/"
        inside = {name[len(start) :]: blob for name, blob in self.files.items() if name.startswith(start)}
        return Tree(self.origin, inside, self.prefix + start)

    def direct(self) -> list[str]:
        """The names of the files that lie in no folder of it."""
        return [name for name in self.files if "/" not in name]


def open_tree(path: str | Path | Sequence[str | Path]) -> Tree:
    """Lists a folder, an archive, or several archives as one tree.

    Of several archives, one whose name says a part (`train.tar`, `birds-val-000.tar`) is put into a folder of that
    name, unless its members lie in such folders already.

    Args:
        path: one folder or archive, or several archives.

    Raises:
        UsageError: it is not there, is neither, is damaged, or two archives hold a member of the same name.
    """
    if isinstance(path, str | Path):
        path = Path(path)
        if path.is_dir():
            return _sorted(str(path), dict(_walk(path)))
        return _archive_tree(path)
    trees = [_archive_tree(Path(one)) for one in path]
    merged: dict[str, Blob] = {}
    for tree in trees:
        start = _part_folder(tree)
        for name, blob in tree.files.items():
            if start + name in merged:
                raise UsageError(f"{tree.origin}: an earlier archive holds {name} too; rename one of the two")
            merged[start + name] = blob
    whole = _sorted(",".join(tree.origin for tree in trees), merged)
    whole.notes = [note for tree in trees for note in tree.notes]
    return whole


def _archive_tree(path: Path) -> Tree:
    """One archive as a tree."""
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    if not is_archive(path.name):
        raise UsageError(f"{path} is neither a folder nor an archive ({' '.join(ARCHIVES)})")
    files, dangling = members(path)
    tree = _sorted(str(path), {name: blob for name, blob in files.items() if not _is_hidden(name)})
    if dangling:
        tree.notes.append(f"{path}: {len(dangling)} links lead nowhere and were passed over, first {dangling[0]}")
    return tree


def _sorted(origin: str, files: dict[str, Blob]) -> Tree:
    return Tree(origin, {name: files[name] for name in sorted(files, key=natural_key)})


def _is_hidden(path: str) -> bool:
    return any(piece.startswith(".") or piece == "__MACOSX" for piece in path.split("/"))


def _walk(folder: Path) -> Iterator[tuple[str, Blob]]:
    """Every file below a folder; links are followed, but never round in a circle."""
    pending: list[tuple[str, str, frozenset[str]]] = [(str(folder), "", frozenset([os.path.realpath(folder)]))]
    while pending:
        where, prefix, above = pending.pop()
        try:
            entries = list(os.scandir(where))
        except OSError as error:
            raise UsageError(f"{where} cannot be listed: {error.strerror}") from error
        for entry in entries:
            if _is_hidden(entry.name):
                continue
            if not entry.is_dir():
                yield prefix + entry.name, Blob(Path(entry.path))
            elif not entry.is_symlink():
                pending.append((entry.path, prefix + entry.name + "/", above | {os.path.realpath(entry.path)}))
            elif (real := os.path.realpath(entry.path)) not in above:
                pending.append((entry.path, prefix + entry.name + "/", above | {real}))


def _part_folder(tree: Tree) -> str:
    """The folder that an archive's name asks for, `train/`, or nothing."""
    name = Path(tree.origin).name.lower()
    stem = next(name.removesuffix(end) for end in ARCHIVES if name.endswith(end))
    words = stem.replace("_", "-").replace(".", "-").split("-")
    said = [part for word in words if (part := part_of(word))]
    if len(said) != 1 or any(part_of(piece) for name in tree.files for piece in name.split("/")[:2]):
        return ""
    return said[0] + "/"
