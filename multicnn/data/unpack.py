"""Takes single files out of archives, safely: only those that are asked for, to places that are known beforehand."""

import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from multicnn.data.archive import DAMAGED
from multicnn.errors import MulticnnError, UsageError


def take_out(source: Path, wanted: re.Pattern[str], folder: Path) -> dict[str, Path]:
    """The files of a folder or an archive that are wanted.

    Args:
        source: a folder, whose files stay where they are; a tar or zip archive, whose files are written below
            `folder`; or a single file.
        wanted: what their paths end with; the first group is the path below `folder`, and can lead nowhere else.
        folder: where files of an archive are to lie.

    Returns:
        Where each lies, by its first group.

    Raises:
        UsageError: the archive is damaged or needs a password.
        MulticnnError: a file cannot be written.
    """
    try:
        if source.is_dir():
            names = ((path.relative_to(source).as_posix(), path) for path in source.rglob("*") if path.is_file())
            return {match[1]: path for name, path in names if (match := wanted.search(name))}
        if zipfile.is_zipfile(source):
            return _write(_zipped(source), wanted, folder)
        if tarfile.is_tarfile(source):
            return _write(_tarred(source), wanted, folder)
    except (*DAMAGED, zipfile.BadZipFile, RuntimeError) as error:
        raise UsageError(f"{source}: the archive is damaged, or needs a password ({error})") from error
    except OSError as error:
        raise MulticnnError(f"{source} cannot be unpacked to {folder}: {error.strerror or error}") from error
    match = wanted.search(source.name)
    return {match[1]: source} if match else {}


def _write(members: Iterator[tuple[str, IO[bytes]]], wanted: re.Pattern[str], folder: Path) -> dict[str, Path]:
    """Writes the members that are wanted, one after the other as they lie in the archive."""
    found: dict[str, Path] = {}
    for name, content in members:
        if match := wanted.search(name):
            found[match[1]] = folder / match[1]
            found[match[1]].parent.mkdir(parents=True, exist_ok=True)
            with content, found[match[1]].open("wb") as file:
                shutil.copyfileobj(content, file)
    return found


def _tarred(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The regular files in a tar archive; links lead nowhere."""
    with tarfile.open(source) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name, content


def _zipped(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The files in a zip archive."""
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield info.filename, archive.open(info)
