"""One file over HTTP, whole and checked or not at all; what broke off is gone on with."""

import hashlib
import os
import re
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError

import multicnn
from multicnn.errors import MulticnnError

CONNECT_SECONDS = 5
STALL_SECONDS = 30
CHUNK = 1 << 20  # bytes
AGENT = {"User-Agent": f"multicnn/{multicnn.__version__}"}  # some servers refuse Python's own
RANGE_NOT_SATISFIABLE = 416


def offline() -> bool:
    """Whether `MULTICNN_OFFLINE` forbids downloads."""
    return os.environ.get("MULTICNN_OFFLINE", "") not in ("", "0")


def fetch(url: str, path: Path, checksum: str = "") -> Path:
    """Downloads a file; one line on stderr gives address and size before its content is fetched.

    It is written under a hidden name beside its place, compared with the length that was announced and with the
    checksum, synced and renamed, so half a file is never met. What breaks off or stalls is gone on with (RFC 9110,
    section 14), as long as something new comes. What came so far stays for the next call, where a checksum can tell
    that its two halves fit.

    Args:
        url: http, https or file.
        path: where it is to lie; folders on the way are made.
        checksum: `sha256:` or `md5:` and the hexadecimal digits, or the first of them; empty where none is published.

    Returns:
        The path.

    Raises:
        MulticnnError: no answer within 5 seconds, an error, or other content than was promised.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(partial) as file:
            if file is None:
                return path if path.exists() else fetch(url, path, checksum)
            _receive_all(url, file, path, bool(checksum))
            os.fsync(file.fileno())
            if wrong := difference(partial, checksum):
                partial.unlink()
                raise MulticnnError(f"{url} came with the {wrong}; try again")
            partial.replace(path)
    except (OSError, HTTPException) as error:
        raise MulticnnError(f"{url} cannot be fetched: {_reason(error)}") from error
    finally:
        if partial.is_file() and not partial.stat().st_size:
            partial.unlink()
    return path


def difference(path: Path, checksum: str) -> str:
    """How a file differs from a checksum, `md5 1a2b... instead of 3c4d...`; empty where it does not.

    Args:
        path: the file.
        checksum: as `fetch` takes it; no file differs from an empty one.
    """
    if not checksum:
        return ""
    algorithm, promised = checksum.split(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()[: len(promised)]
    return "" if found == promised else f"{algorithm} {found}... instead of {promised}..."


@contextmanager
def _alone(partial: Path) -> Iterator[BinaryIO | None]:
    """The partial file, locked; None where it is gone, for the process that had it before is done with it."""
    with partial.open("ab+") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield file if partial.exists() and os.path.samestat(partial.stat(), os.fstat(file.fileno())) else None


def _receive_all(url: str, file: BinaryIO, path: Path, checked: bool) -> None:
    """Goes on until all is there.

    Raises:
        OSError: it is refused, or an attempt brought nothing new.
    """
    version = told = ""
    if not checked:
        file.truncate(0)
    while True:
        before = file.seek(0, os.SEEK_END)
        try:
            with _ask(url, before if checked or version else 0, version) as response:
                start, total = _place(response, before)
                told = told or _tell(url, path, total)
                version = version or _version(response)
                file.truncate(start)
                _receive(response, file, total)
            return
        except HTTPError as error:
            if error.code != RANGE_NOT_SATISFIABLE or not before:
                raise
            if error.headers.get("Content-Range") == f"bytes */{before}":  # it was whole already
                return
            file.truncate(0)
        except (OSError, HTTPException):
            if file.seek(0, os.SEEK_END) <= before:
                raise


def _tell(url: str, path: Path, total: int | None) -> str:
    """One line on stderr: what is going to be fetched, and where to."""
    size = f"{total / 1e6:,.1f} MB" if total is not None else "size unknown"
    line = f"multicnn: downloading {url} ({size}) to {path.parent}"
    print(line, file=sys.stderr, flush=True)
    return line


def _version(response: Any) -> str:
    """What tells whether the file is still the same; a weak tag does not (RFC 9110, section 13.1.5)."""
    tag = response.headers.get("ETag") or "W/"
    return str((response.headers.get("Last-Modified") or "") if tag.startswith("W/") else tag)


def _ask(url: str, start: int, version: str) -> Any:
    """Asks for a file, or for the rest of the same version of it."""
    header = dict(AGENT)
    if start:
        header |= {"Range": f"bytes={start}-"} | ({"If-Range": version} if version else {})
    return connect(urllib.request.Request(url, headers=header))


def _place(response: Any, wanted: int) -> tuple[int, int | None]:
    """The byte at which an answer begins, and how long the whole file is; None where the server does not say."""
    length = response.headers.get("Content-Length")
    total = int(length) if length else None
    if response.status != 206:
        return 0, total
    told = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if not told or int(told[1]) != wanted:
        raise OSError("the server answers with another part of the file than was asked for; try again")
    return wanted, None if told[2] == "*" else int(told[2])


def _receive(response: Any, file: BinaryIO, total: int | None) -> None:
    """Appends what comes, with a bar on a terminal.

    Raises:
        OSError: it ends too early, or nothing comes for 30 seconds.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    done = file.seek(0, os.SEEK_END)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=total, completed=done)
        while chunk := response.read1(CHUNK):  # what came before a stall is not lost
            file.write(chunk)
            done += len(chunk)
            progress.update(bar, completed=done)
    file.flush()
    if total is not None and done < total:
        raise OSError(f"it ends after {done:,} of {total:,} bytes; try again to go on from there")


def connect(url: str | urllib.request.Request, seconds: float = CONNECT_SECONDS) -> Any:
    """Opens an address, and gives up after some seconds whatever it is that does not answer.

    The time limit of a socket does not cover the search for its name, which alone may take half a minute where there
    is no network; hence the thread.

    Raises:
        OSError: an error, or no answer in time.
    """
    answer: list[Any] = []
    late = threading.Event()

    def ask() -> None:
        try:
            response = urllib.request.urlopen(url, timeout=STALL_SECONDS)
        except (OSError, HTTPException, ValueError) as error:
            answer.append(error)
            return
        if late.is_set():
            response.close()
        answer.append(response)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        late.set()
        raise TimeoutError(f"no answer within {seconds:g} s")
    if isinstance(answer[0], Exception):
        raise answer[0] if isinstance(answer[0], OSError) else OSError(str(answer[0]))
    return answer[0]


def _reason(error: Exception) -> str:
    """urllib wraps the real reason, which is what people want to read."""
    return str(getattr(error, "reason", None) or error or type(error).__name__)
