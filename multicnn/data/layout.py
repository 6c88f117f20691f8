"""Opens a data set in whatever form it comes."""

from collections import Counter
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.conll import open_sentences
from multicnn.data.endings import MANIFESTS, MEDIA, Kind, ending, is_archive, part_of
from multicnn.data.examples import DataSet
from multicnn.data.folders import add_classes, note_loose
from multicnn.data.headers import fits
from multicnn.data.locate import FolderFiles, TreeFiles, open_root
from multicnn.data.manifest import add_manifest
from multicnn.data.request import Columns, Opening
from multicnn.data.samples import open_sample
from multicnn.data.tables import FASTTEXT, read_table
from multicnn.data.tree import Tree, open_tree
from multicnn.data.webdataset import add_webdataset
from multicnn.errors import UsageError, did_you_mean

__all__ = ["Columns", "open_dataset"]

_PLURAL = {"image": "pictures", "audio": "sounds", "text": "texts"}


def open_dataset(
    path: str, kind: Kind, *, columns: Columns = Columns(), root: str | None = None, labelled: bool = True
) -> DataSet:
    """Opens any form of data set: folders, parts, manifests, archives, WebDataset, fastText, `sample:NAME`,
    tagged sentences.

    No picture or sound is read, only listed; texts are read.

    Args:
        path: the data set; several archives are separated by commas.
        kind: what its examples are.
        columns: the names of a manifest's columns, where they are not the usual ones.
        root: the folder or the archives that a manifest's paths lead to, if not its own folder.
        labelled: whether every example must have a label; without, it has one where the data say it.

    Raises:
        UsageError: it is not there, or laid out in no form that is known; the message says what was looked for.
    """
    if path.startswith("sample:"):
        _refuse_without_effect(path, columns, root)
        return open_sample(path.removeprefix("sample:"), kind)
    if kind == "tokens":
        _refuse_without_effect(path, columns, root)
        return open_sentences(path, locate(path))
    data = DataSet(path, kind)
    opening = Opening(data, columns, open_root(root) if root is not None else None, labelled)
    _open(opening, path)
    if not opening.manifests:
        _refuse_without_effect(path, columns, root)
    if not opening.examples:
        raise UsageError(_nothing_found(opening))
    data.examples = opening.examples.packed()
    return data


def locate(path: str) -> Path | list[str]:
    """What a data set's path means on disk: one file or folder, or several archives.

    Raises:
        UsageError: it is not there.
    """
    one = Path(path)
    if one.exists():
        return one
    if "," in path:
        return [piece for piece in path.split(",") if piece]
    near = [p.name for p in one.parent.iterdir()] if one.parent.is_dir() else []
    raise UsageError(f"{path}: there is no such file or folder{did_you_mean(one.name, near)}")


def _open(opening: Opening, path: str) -> None:
    """Reads a manifest, or lists a folder or archives and lays them out."""
    found = locate(path)
    if isinstance(found, Path) and found.is_file() and not is_archive(found.name):
        if ending(found.name) not in (*MANIFESTS, *([".txt"] if opening.data.kind == "text" else [])):
            raise UsageError(
                f"{path} is no data set: neither a folder nor a manifest ({' '.join(MANIFESTS)}) nor a tar archive"
            )
        add_manifest(opening, found.name, Blob(found), FolderFiles(found.parent), None)
        return
    tree = open_tree(found)
    opening.data.notes += tree.notes
    top = Layout(opening, tree)
    top.place(tree, None)
    if top.listed:
        _note_strangers(opening, tree)


class Layout:
    """Finds out how a tree is laid out, and adds its examples.

    Args:
        opening: the data set.
        whole: the whole tree; manifests in archives find their files in it.
    """

    def __init__(self, opening: Opening, whole: Tree) -> None:
        self.opening = opening
        self.whole = whole
        self.on_disk = Path(whole.origin).is_dir()
        self.listed = False  # whether the files themselves are the examples, so that others are strangers

    def place(self, tree: Tree, split: str | None) -> None:
        """Adds a tree, or a part of it.

        Args:
            tree: the tree.
            split: the part that it is, where that is known already.
        """
        tree = self._look_through(tree, split)
        if self._place_manifests(tree, split) or (split is None and self._place_parts(tree)):
            return
        self.listed = True
        if not add_webdataset(self.opening, tree, split):
            add_classes(self.opening, tree, split)

    def _look_through(self, tree: Tree, split: str | None) -> Tree:
        """Goes down while one folder wraps everything."""
        while (wrapper := self._wrapper(tree, split)) is not None:
            note_loose(self.opening, tree, self._media(tree))
            tree = tree.below(wrapper)
        return tree

    def _wrapper(self, tree: Tree, split: str | None) -> str | None:
        """The only folder of a tree, unless it is a part or a class itself."""
        tops = {name.partition("/")[0] for name in tree.files if "/" in name and self.opening.is_usable(name)}
        if len(tops) != 1 or self._explained(tree) or (self._media(tree) and not self.opening.labelled):
            return None
        (top,) = tops
        if split is None and part_of(top):
            return None
        inside = tree.below(top)
        deeper = any("/" in name and self.opening.is_usable(name) for name in inside.files)
        return top if deeper or self._explained(inside) else None

    def _media(self, tree: Tree) -> list[str]:
        """The examples that lie directly in a folder."""
        return [name for name in tree.direct() if self.opening.is_media(name)]

    def _explained(self, tree: Tree) -> bool:
        """Whether a manifest is there, or files beside the examples tell their labels."""
        direct = tree.direct()
        beside = any(ending(name) in (".cls", ".json") for name in direct) and bool(self._media(tree))
        return beside or any(self._is_manifest(tree, name) for name in direct)

    def _is_manifest(self, tree: Tree, name: str) -> bool:
        """A table by its ending; for texts also a .txt file in fastText's format."""
        if ending(name) in MANIFESTS:
            return True
        if self.opening.data.kind != "text" or ending(name) != ".txt":
            return False
        with tree.files[name].open() as file:
            return file.read(len(FASTTEXT)) == FASTTEXT.encode()

    def _place_manifests(self, tree: Tree, split: str | None) -> bool:
        """Adds train.csv, dev.csv and test.csv, or the only manifest; False where there is none."""
        manifests = [name for name in tree.direct() if self._is_manifest(tree, name)]
        parts = {name: part for name in manifests if (part := part_of(Path(name).stem))} if split is None else {}
        if parts:
            self._refuse_twice(parts)
            for name in manifests:
                if name in parts:
                    self._add_manifest(tree, name, parts[name])
                else:
                    self.opening.data.notes.append(f"{tree.prefix}{name} was passed over; its name says no part")
            return True
        folders = any("/" in name and self.opening.is_media(name) for name in tree.files)
        if folders and len(manifests) == 1 and not self._fits(tree, manifests[0]):
            self.opening.data.notes.append(f"{tree.prefix}{manifests[0]} was passed over; its columns fit no manifest")
            self.opening.used.add(tree.prefix + manifests[0])
            return False
        if len(manifests) > 1:
            raise UsageError(
                f"{self.opening.data.origin} holds several manifests ({', '.join(manifests)}); name the one you mean, "
                f"or call them train, val and test"
            )
        for name in manifests:
            self._add_manifest(tree, name, split)
        return bool(manifests)

    def _fits(self, tree: Tree, name: str) -> bool:
        """Whether a manifest beside class folders has the columns to take their place."""
        columns = self.opening.columns
        return bool(columns.given()) or fits(
            read_table(name, tree.files[name]).columns, self.opening.data.kind, columns
        )

    def _add_manifest(self, tree: Tree, name: str, split: str | None) -> None:
        """Adds one manifest of the tree; its paths start from its own folder."""
        blob = tree.files[name]
        files = FolderFiles(blob.path.parent) if self.on_disk else TreeFiles(self.whole, tree.prefix)
        add_manifest(self.opening, tree.prefix + name, blob, files, split)

    def _place_parts(self, tree: Tree) -> bool:
        """Adds train/, val/ and test/; False where the folders are classes."""
        folders = dict.fromkeys(n.partition("/")[0] for n in tree.files if "/" in n and self.opening.is_usable(n))
        parts = {folder: part for folder in folders if (part := part_of(folder))}
        if not parts:
            return False
        # A class may be called "train" (beside "bus"): other folders beside parts need two parts to be passed over.
        if len(parts) < len(folders) and (
            len(set(parts.values())) < 2 or any(self._is_class(tree.below(folder)) for folder in parts)
        ):
            return False
        self._refuse_twice(parts)
        note_loose(self.opening, tree, self._media(tree))
        for folder in folders:
            if folder in parts:
                self.place(tree.below(folder), parts[folder])
            else:
                self.opening.data.notes.append(f"{tree.prefix}{folder}/ was passed over; its name says no part")
                self.opening.used.update(tree.prefix + n for n in tree.files if n.startswith(folder + "/"))
        return True

    def _is_class(self, tree: Tree) -> bool:
        """Whether examples lie directly in a folder, with nothing that explains them."""
        return bool(self._media(tree)) and not self._explained(tree)

    def _refuse_twice(self, parts: dict[str, str]) -> None:
        """Two folders or manifests for the same part are more likely a mistake than meant."""
        seen: dict[str, str] = {}
        for name, part in parts.items():
            if part in seen:
                raise UsageError(
                    f"{self.opening.data.origin}: {seen[part]} and {name} both mean the {part} part; "
                    "remove or rename one"
                )
            seen[part] = name


def _note_strangers(opening: Opening, tree: Tree) -> None:
    """One note for all files with endings that no example has."""
    strangers = [n for n in tree.files if not opening.is_media(n) and n not in opening.used]
    if strangers:
        endings = Counter(ending(n) or "none" for n in strangers)
        count = f"{len(strangers):,} file{'s' * (len(strangers) > 1)}"
        were = "were" if len(strangers) > 1 else "was"
        opening.data.notes.append(f"{count} with other endings {were} passed over: {', '.join(sorted(endings)[:12])}")


def _refuse_without_effect(path: str, columns: Columns, root: str | None) -> None:
    """Columns and root mean nothing without a manifest, and nothing is ignored silently."""
    given = columns.given()
    if given:
        role, name = next(iter(given.items()))
        raise UsageError(f"{path} has no manifest, so the {role} column {name} has no effect; leave it out")
    if root is not None:
        raise UsageError(f"{path} has no manifest, so the root {root} has no effect; leave it out")


def _nothing_found(opening: Opening) -> str:
    """Why there is no example, with what was looked for."""
    data = opening.data
    if data.troubles:
        return f"{data.origin}: none of its {len(data.troubles):,} examples can be used; {data.troubles[0]}"
    notes = "".join(f" ({note})" for note in data.notes)
    return (
        f"{data.origin}: no {_PLURAL[data.kind]} with labels found{notes}; looked for class folders of "
        f"{' '.join(sorted(MEDIA[data.kind])[:6])} ... files, for such folders in train/ val/ test/, for a manifest "
        f"({' '.join(MANIFESTS)}) and for WebDataset names (key.cls, key.json)"
    )
