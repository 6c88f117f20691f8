"""Compressed archives that took long to open, kept as plain tars with the list of what is in them."""

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.files import user_cache, write_atomically, written_whole
from multicnn.data.kept import ABOUT, ARCHIVES, alone, hold, limit, make_room, users_roots
from multicnn.errors import MulticnnError, tell

PLAIN, LISTING = "plain.tar", "listing.json"
_BLOCK = 1 << 22

# The members of an archive by their paths, and the names of links that lead nowhere.
Listing = tuple[dict[str, Blob], list[str]]


def archives_folder() -> Path:
    """Where they are kept."""
    return user_cache() / ARCHIVES


def kept_plain(archive: Path) -> Path | None:
    """The plain tar of an archive with this very content; None where it is not kept.

    Args:
        archive: compressed.
    """
    root = archives_folder()
    if not any(root.glob(f"{archive.stat().st_size}-*")):  # nothing to compare the content with
        return None
    folder = _folder(archive)
    with alone(root):
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if (folder / PLAIN).stat().st_size != about["size"]:
                return None
            (folder / ABOUT).touch()
        except (OSError, ValueError, KeyError):  # not there, not done, or not ours
            return None
        hold(folder)
    return folder / PLAIN


def keep_plain(archive: Path, plain: Path) -> Path:
    """Keeps a plain tar, where the limit allows it and the disk has room for twice its size; a line on stderr says so.

    Args:
        archive: what it was compressed in.
        plain: a temporary file, which goes when it is kept.

    Returns:
        Where it is to be read from now on.
    """
    root, size = archives_folder(), plain.stat().st_size
    try:
        root.mkdir(parents=True, exist_ok=True)
        if size > limit() or shutil.disk_usage(root).free < 2 * size:
            return plain
        folder = _folder(archive)
        about = {"data": str(archive), "size": size}
        with alone(root):
            write_atomically(folder / ABOUT, json.dumps(about, indent=1))
            hold(folder)
        with written_whole(folder / PLAIN) as beside, plain.open("rb") as source, beside.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
        plain.unlink()
        tell(f"{archive} is kept without its compression in {folder} for the next time ({size / 1e6:,.1f} MB)")
        if removed := make_room(*users_roots()):
            tell(removed)
    except (OSError, MulticnnError) as error:
        tell(f"{archive} is not kept for the next time: {error}")
        return plain
    return folder / PLAIN


def kept_listing(plain: Path) -> Listing | None:
    """What is in a tar that is kept, as it was listed before; None for any other tar."""
    if not _is_kept(plain):
        return None
    try:
        listing = json.loads(plain.with_name(LISTING).read_text(encoding="utf-8"))
        return {name: Blob(plain, offset, size) for name, (offset, size) in listing["files"].items()}, listing["links"]
    except (OSError, ValueError, KeyError, AttributeError):  # not there, or damaged: it is listed again
        return None


def keep_listing(plain: Path, listing: Listing) -> Listing:
    """Writes down what is in a tar, if it is kept; gives the listing back."""
    files, links = listing
    if _is_kept(plain):
        places = {name: (blob.offset, blob.size) for name, blob in files.items()}
        with suppress(MulticnnError):  # it can be listed again
            write_atomically(plain.with_name(LISTING), json.dumps({"files": places, "links": links}))
    return listing


def _is_kept(plain: Path) -> bool:
    return plain.name == PLAIN and plain.parent.parent == archives_folder()


def _folder(archive: Path) -> Path:
    """Named after size and content of an archive."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return archives_folder() / f"{archive.stat().st_size}-{digest}"
