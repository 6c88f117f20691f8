"""Tar archives: where each member's bytes lie, without unpacking them into files."""

import bz2
import gzip
import lzma
import posixpath
import secrets
import shutil
import tarfile
import time
import zlib
from functools import cache
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.plain_tars import Listing, keep_listing, keep_plain, kept_listing, kept_plain
from multicnn.data.temporary import temporary_folder
from multicnn.errors import MulticnnError, UsageError

DAMAGED = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, tarfile.TarError)
_BLOCK = 1 << 22
# Seconds of decompressing that are worth the disk.
WORTH = 0.5


def members(path: Path) -> Listing:
    """The regular files in a tar archive and where their bytes lie.

    A compressed archive is decompressed into a temporary plain tar, which is kept for the next time if it took long.

    Args:
        path: the archive. What it is compressed with is told by its first bytes, not by its name.

    Returns:
        The members by their clean posix path, and the names of links that lead nowhere.

    Raises:
        UsageError: the archive is damaged or no tar archive.
        MulticnnError: there is no room to decompress it.
    """
    try:
        state = path.stat()
        plain = _plain_tar(path.resolve(), state.st_mtime_ns, state.st_size)
        return kept_listing(plain) or keep_listing(plain, _index(plain))
    except DAMAGED as error:
        raise UsageError(f"{path}: the archive is damaged or no tar archive ({error})") from error
    except OSError as error:
        raise MulticnnError(
            f"{path} cannot be read: {error.strerror or error}; a compressed archive needs room in the temporary "
            f"folder (TMPDIR names another one)"
        ) from error


@cache
def _plain_tar(path: Path, modified: int, size: int) -> Path:
    """The archive itself, or its decompressed copy, made once a process at most; time and size are there to notice a
    changed archive.
    """
    with path.open("rb") as file:
        start = file.read(6)
    if (source := _decompressing(path, start)) is None:
        return path
    if plain := kept_plain(path):
        return plain
    plain = temporary_folder() / f"{secrets.token_hex(4)}.tar"
    began = time.perf_counter()
    with source, plain.open("xb") as target:
        shutil.copyfileobj(source, target, _BLOCK)
    return plain if time.perf_counter() - began < WORTH else keep_plain(path, plain)


def _decompressing(path: Path, start: bytes) -> gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File | None:
    """The archive opened with what it was compressed with, or None where it was not."""
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if start.startswith(b"\xfd7zXZ"):
        return lzma.open(path, "rb")
    return bz2.open(path, "rb") if start.startswith(b"BZh") else None


def _index(plain: Path) -> Listing:
    """Reads the headers; hard and symbolic links take the place of what they lead to."""
    files: dict[str, Blob] = {}
    links: dict[str, str] = {}
    with tarfile.open(plain, "r:") as tar:
        for member in tar.getmembers():
            name = _clean(member.name)
            if member.issparse():
                raise tarfile.TarError(f"{name} is stored as a sparse file; pack it again without --sparse")
            if member.isreg():
                files[name] = Blob(plain, member.offset_data, member.size)
            elif member.islnk():
                links[name] = _clean(member.linkname)
            elif member.issym():
                links[name] = _clean(posixpath.join(posixpath.dirname(name), member.linkname))
        _check_the_end(plain, tar.offset)
    for name in links:
        target = name
        for _ in range(len(links)):  # a link may lead to a link; a circle ends here
            if target not in links:
                break
            target = links[target]
        if target in files:
            files[name] = files[target]
    return files, [name for name in links if name not in files]


def _check_the_end(plain: Path, end: int) -> None:
    """tarfile stops without a word at a damaged header: behind the last member there must be zeros, or nothing."""
    with plain.open("rb") as rest:
        rest.seek(end)
        if rest.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.TarError(f"no valid member starts at byte {end:,}")


def _clean(name: str) -> str:
    """A member's path without `./`, `..` and a leading slash."""
    return posixpath.normpath("/" + name).lstrip("/")
