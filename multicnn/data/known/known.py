"""What is known of a published data set: where it lies, how it is laid out, how many examples it has."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from multicnn.data.endings import Kind

Files = Mapping[str, Path]
"""The files of a data set by their names in it, wherever they lie."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A published file.

    Attributes:
        url: its address.
        checksum: `md5:...` or `sha256:...`; empty where none is published.
        source: who publishes the checksum, or why there is none.
    """

    url: str
    checksum: str
    source: str

    @property
    def file(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Known:
    """A published data set.

    Attributes:
        name: what `multicnn data get` calls it.
        kind: what its examples are.
        title: what it is and where it was published, in a line.
        remotes: the files it comes in.
        wanted: which files in them are needed; the first group is a file's name in the data set.
        count: how many examples it has.
        result: the manifest or the archive that is written.
        lay_out: writes the result from the files, and tells how many examples it has.
        stay: whether the files themselves are the examples, so that they stay beside the manifest.
        options: what `multicnn train` is told besides the data, for the official protocol.
    """

    name: str
    kind: Kind
    title: str
    remotes: tuple[Remote, ...]
    wanted: re.Pattern[str]
    count: int
    result: str
    lay_out: Callable[[Files, Path], int]
    stay: bool = False
    options: str = ""
