"""Gets a published data set: downloads it or takes a copy that is here, and lays it out with its official division."""

import os
import tempfile
from pathlib import Path

from multicnn.data.download import difference, fetch, offline
from multicnn.data.known.known import Known, Remote
from multicnn.data.known.table import find_known
from multicnn.data.unpack import take_out
from multicnn.errors import MulticnnError, UsageError, tell


def get(name: str, folder: Path | None = None, copy: Path | None = None, overwrite: bool = False) -> tuple[Path, bool]:
    """Gets a data set and writes the manifest, or the archive of pictures, to train on.

    Args:
        name: what it is called in the table.
        folder: where it is to lie; by default a folder of its name.
        copy: a copy that is here already, packed or unpacked; by default it is downloaded.
        overwrite: do it again where it is there.

    Returns:
        What to train on, and whether it has all the examples that it should have.

    Raises:
        UsageError: there is no such data set, or the copy is none of it.
        MulticnnError: it cannot be downloaded; the message tells where to put it by hand.
    """
    known = find_known(name)
    folder = folder or Path(name)
    result = folder / known.result
    if result.exists() and not overwrite:
        tell(f"{result} is there already; --overwrite writes it anew")
        return result, True
    folder.mkdir(parents=True, exist_ok=True)
    there = set(folder.iterdir())
    sources = _downloads(known, folder) if copy is None else _copies(known, copy)
    count = _lay_out(known, sources, result)
    if copy is None:
        for path in set(sources) - there:  # what was downloaded stands unpacked beside it now
            path.unlink()
    whole = count == known.count
    tell(f"{count:,} examples{'' if whole else f' instead of {known.count:,}: the copy is not the published one'}")
    tell(f"train with: multicnn train {known.kind} {result} {known.options}".rstrip())
    return result, whole


def _copies(known: Known, copy: Path) -> list[Path]:
    """The published files in a folder, or else the folder or the file itself."""
    if not copy.exists():
        raise UsageError(f"--from {copy}: there is no such file or folder")
    packed = [copy / remote.file for remote in known.remotes]
    found = packed if all(path.is_file() for path in packed) else [copy]
    for remote in known.remotes:
        for path in found:
            if path.name == remote.file and (wrong := difference(path, remote.checksum)):
                tell(f"{path} has the {wrong}: it is not the published file, and is taken as it is")
    return found


def _downloads(known: Known, folder: Path) -> list[Path]:
    """The published files in the data set's folder, downloaded where they are not there."""
    try:
        return [_download(known, remote, folder / remote.file) for remote in known.remotes]
    except MulticnnError as error:
        missing = [remote.url for remote in known.remotes if not (folder / remote.file).exists()]
        advice = f"; fetch {' and '.join(missing)} elsewhere and put it into {folder}, or say --from COPY"
        raise MulticnnError(f"{error}{advice if missing else ''}") from error


def _download(known: Known, remote: Remote, path: Path) -> Path:
    """One published file; `MULTICNN_DATA_URL` names another server, which has a folder for each data set.

    Raises:
        MulticnnError: it cannot be had, or is not what was published.
    """
    if path.is_file():
        if wrong := difference(path, remote.checksum):
            raise MulticnnError(f"{path} has the {wrong}; remove it, and it will be fetched anew")
        return path
    if offline():
        raise MulticnnError("MULTICNN_OFFLINE forbids downloads")
    mirror = os.environ.get("MULTICNN_DATA_URL")
    url = remote.url if not mirror else f"{mirror.rstrip('/')}/{known.name}/{remote.file}"
    return fetch(url, path, remote.checksum)


def _lay_out(known: Known, sources: list[Path], result: Path) -> int:
    """Takes out the files and writes the result; files that are not the examples themselves are removed again."""
    with tempfile.TemporaryDirectory(prefix=".", dir=result.parent) as passing:
        folder = result.parent if known.stay else Path(passing)
        files = {name: path for source in sources for name, path in take_out(source, known.wanted, folder).items()}
        if not files:
            raise UsageError(_no_copy(known, sources, "none of its files is there"))
        try:
            return known.lay_out(files, result)
        except KeyError as error:
            raise UsageError(_no_copy(known, sources, f"{error} is not there")) from error
        except (ValueError, IndexError) as error:
            raise UsageError(_no_copy(known, sources, str(error))) from error


def _no_copy(known: Known, sources: list[Path], reason: str) -> str:
    return f"{', '.join(map(str, sources))}: this is not {known.name} as it was published ({reason})"
