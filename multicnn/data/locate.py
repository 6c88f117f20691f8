"""Where the paths written in a manifest lead: into a folder, or into archives."""

import posixpath
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.tree import Tree, open_tree
from multicnn.errors import UsageError


class FolderFiles:
    """Files below a folder; absolute paths work too.

    Args:
        folder: what relative paths start from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = str(folder)

    def find(self, path: str) -> tuple[str, Blob] | None:
        """The path as written and its file; a path written on Windows is tried with forward slashes."""
        for written in (path, path.replace("\\", "/")) if "\\" in path else (path,):
            if (file := self.folder / written).is_file():
                return path, Blob(file)
        return None


class TreeFiles:
    """Members of archives, or files of a folder that is open as a tree.

    Args:
        tree: the files.
        base: the folder that paths are relative to; paths from the top are tried after it, and from inside a folder
            that wraps everything.
    """

    def __init__(self, tree: Tree, base: str = "") -> None:
        self.tree = tree
        self.where = tree.origin
        tops = {name.partition("/")[0] for name in tree.files}
        self.bases = list(dict.fromkeys([base, "", *(tops if len(tops) == 1 else ())]))

    def find(self, path: str) -> tuple[str, Blob] | None:
        """The member's whole name and its bytes."""
        written = path.replace("\\", "/")
        for base in self.bases:
            name = posixpath.normpath(posixpath.join(base, written)).lstrip("/")
            if (blob := self.tree.files.get(name)) is not None:
                return name, blob
        return None


def open_root(root: str) -> FolderFiles | TreeFiles:
    """What `--root` names: a folder, an archive, or several archives separated by commas.

    Raises:
        UsageError: it is not there.
    """
    path = Path(root)
    if path.is_dir():
        return FolderFiles(path)
    if not path.exists() and "," in root:
        return TreeFiles(open_tree(root.split(",")))
    if not path.exists():
        raise UsageError(f"--root {root}: there is no such folder or archive")
    return TreeFiles(open_tree(path))
