"""What is asked of a data set while it is opened, and what has been found so far."""

from dataclasses import dataclass, field, fields
from typing import Protocol

from multicnn.data.blob import Blob
from multicnn.data.endings import MANIFESTS, MEDIA, ending
from multicnn.data.examples import DataSet, ExamplePacker


@dataclass(frozen=True)
class Columns:
    """The names of a manifest's columns, where the user gave them; None means: find it yourself."""

    text: str | None = None
    path: str | None = None
    label: str | None = None
    split: str | None = None
    fold: str | None = None
    group: str | None = None

    def given(self) -> dict[str, str]:
        """The columns that were named: what for, and the name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


class Files(Protocol):
    """Where the paths of a manifest lead."""

    where: str

    def find(self, path: str) -> tuple[str, Blob] | None:
        """The name to show and the bytes of the file that a row means, or None where it is not there."""
        ...


@dataclass(slots=True)
class Opening:
    """A data set that is being opened.

    Args:
        data: what was found so far, but for the examples.
        columns: the names of columns that the user gave.
        root: where paths of manifests lead, if not to the manifest's own folder.
        labelled: whether every example must have a label.
        examples: what was found so far and can be used.
        used: paths of manifests and side files, which are no strangers among the examples.
        manifests: whether a manifest was read, so that columns and root had an effect.
    """

    data: DataSet
    columns: Columns
    root: Files | None
    labelled: bool
    examples: ExamplePacker = field(default_factory=ExamplePacker)
    used: set[str] = field(default_factory=set)
    manifests: bool = False

    def is_media(self, name: str) -> bool:
        """Whether a file is an example of this kind, by its ending."""
        return ending(name) in MEDIA[self.data.kind]

    def is_usable(self, name: str) -> bool:
        """Whether a file is an example, a manifest, or a WebDataset side file."""
        found = ending(name)
        return found in MEDIA[self.data.kind] or found in MANIFESTS or found in (".cls", ".json")
