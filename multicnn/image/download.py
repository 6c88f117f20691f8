"""One file over HTTP, whole and checked or not at all."""

import hashlib
import os
import secrets
import sys
import threading
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from multicnn.errors import MulticnnError

CONNECT_SECONDS = 5
STALL_SECONDS = 30
CHUNK = 1 << 20  # bytes


def fetch(url: str, path: Path, sha256: str) -> Path:
    """Downloads a file; one line on stderr gives address and size before its content is fetched.

    It is written under a temporary name beside its place, synced and renamed, so half a file is never met.

    Args:
        url: http, https or file.
        path: where it is to lie; folders on the way are made.
        sha256: the hexadecimal digits with which its checksum begins.

    Returns:
        The path.

    Raises:
        MulticnnError: no answer within 5 seconds, an error, or other content than was promised.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with connect(url) as response:
            length = response.headers.get("Content-Length")
            size = f"{int(length) / 1e6:,.1f} MB" if length else "size unknown"
            print(f"multicnn: downloading {url} ({size}) to {path.parent}", file=sys.stderr, flush=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            found = _save(response, partial)
        if not found.startswith(sha256):
            raise MulticnnError(
                f"{url} came with the sha256 {found[: len(sha256)]}... instead of {sha256}...; try again"
            )
        partial.replace(path)
    except (OSError, HTTPException) as error:
        raise MulticnnError(f"{url} cannot be fetched: {_reason(error)}") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def connect(url: str, seconds: float = CONNECT_SECONDS) -> Any:
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


def _save(response: Any, path: Path) -> str:
    """Writes what comes, syncs it, and gives its sha256."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        while chunk := response.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    """urllib wraps the real reason, which is what people want to read."""
    return str(getattr(error, "reason", None) or error or type(error).__name__)
