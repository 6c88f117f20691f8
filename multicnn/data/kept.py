"""Folders that are kept on disk for the next time: listed, held while they are used, removed when they are too many.

Each lies in a root with others of its kind, and its about.json, written when it is used, says what it is.
"""

import datetime
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from multicnn.data.files import user_cache
from multicnn.errors import UsageError

ABOUT = "about.json"  # for people; also tells when the folder was last used
# Gigabytes that may lie in the user's folder for caches; MULTICNN_CACHE_LIMIT names another number.
LIMIT = 50.0

# Roots in that folder, which share the limit: decoded examples, and archives without their compression.
DECODED, ARCHIVES = "decoded", "archives"

_held: dict[Path, int] = {}


def users_roots() -> list[Path]:
    """Where things are kept, unless a user names another folder."""
    return [user_cache() / DECODED, user_cache() / ARCHIVES]


def limit() -> float:
    """Bytes that may be kept.

    Raises:
        UsageError: MULTICNN_CACHE_LIMIT is no number of gigabytes.
    """
    written = os.environ.get("MULTICNN_CACHE_LIMIT") or LIMIT
    with suppress(ValueError):
        if (gigabytes := float(written)) >= 0:
            return 1e9 * gigabytes
    raise UsageError(f"MULTICNN_CACHE_LIMIT is a number of gigabytes, such as 50, not {written}")


def kept(*roots: Path) -> list[dict[str, Any]]:
    """What lies in some roots, the last used first: `data`, `bytes`, day of the last use, `folder`; of decoded examples
    also how many `examples` there are.
    """
    found = []
    for about in (about for root in roots for about in root.glob(f"*/{ABOUT}")):
        with suppress(FileNotFoundError):  # another process removes it
            found.append((about.stat().st_mtime, _told(about)))
    return [one for _, one in sorted(found, key=lambda timed: -timed[0])]


def _told(about: Path) -> dict[str, Any]:
    try:
        said = json.loads(about.read_text(encoding="utf-8"))
    except ValueError:  # damaged, and still to be listed and removed
        said = {}
    return {
        "data": said.get("data", "?"),
        **{key: said[key] for key in ("examples",) if key in said},
        "bytes": sum(file.stat().st_size for file in about.parent.iterdir()),
        "used": datetime.date.fromtimestamp(about.stat().st_mtime).isoformat(),
        "folder": str(about.parent),
    }


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Nobody else takes up or removes a folder of this root meanwhile. It cannot be nested."""
    if sys.platform == "win32":  # where open files cannot be removed
        yield
        return
    import fcntl

    descriptor = None
    with suppress(OSError):  # whoever writes there will say why it cannot be
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def hold(folder: Path) -> None:
    """Keeps other processes from removing a folder until this one ends; to be done while it is `alone` there."""
    if sys.platform == "win32" or folder in _held:
        return
    import fcntl

    with suppress(OSError):
        _held[folder] = os.open(folder, os.O_RDONLY)
        fcntl.flock(_held[folder], fcntl.LOCK_SH)


def remove(folder: Path) -> bool:
    """Removes a folder, unless it is in use; says whether it is gone."""
    with alone(folder.parent):
        if _in_use(folder):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()


def _in_use(folder: Path) -> bool:
    """Whether a process holds a folder, this one among them."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return folder in _held
    finally:
        os.close(descriptor)
    return False


def make_room(*roots: Path) -> str:
    """Removes what was used longest ago, until the rest is within the limit; what is in use stays.

    Args:
        roots: that share the limit.

    Returns:
        One line that tells it; nothing where nothing was removed.

    Raises:
        UsageError: as `limit`.
    """
    most, there = limit(), kept(*roots)
    total = sum(one["bytes"] for one in there)
    gone = []
    for one in reversed(there):
        if total > most and remove(Path(one["folder"])):
            total -= one["bytes"]
            gone.append(one)
    if not gone:
        return ""
    size, names = sum(one["bytes"] for one in gone) / 1e6, ", ".join(one["data"] for one in gone)
    return (
        f"what was kept for the next time and not used for longest was removed: {size:,.1f} MB, of {names}; "
        f"{most / 1e9:g} GB may stay (MULTICNN_CACHE_LIMIT)"
    )
