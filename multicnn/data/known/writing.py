"""Manifests and archives of pictures, written whole or not at all."""

import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from multicnn.data.files import csv_pieces, write_pieces, written_whole


def write_manifest(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Writes a table, and tells how many rows it has; texts come back exactly as they are."""
    rows = list(rows)
    write_pieces(path, csv_pieces([header, *rows], quote_all="text" in header))
    return len(rows)


def lead_to(file: Path, manifest: Path) -> str:
    """A file's path as it stands in a manifest: from the manifest's folder."""
    return Path(os.path.relpath(file, manifest.parent)).as_posix()


def write_pictures(path: Path, pictures: Iterable[tuple[str, str, np.ndarray]]) -> int:
    """Writes an archive of PNG files, `train/cat/00012.png`.

    Args:
        path: the archive, a plain tar.
        pictures: part, label and pixels of each, [height, width] or [height, width, 3], 0 to 255.

    Returns:
        How many there are.
    """
    count = 0
    with written_whole(path) as beside, tarfile.open(beside, mode="w") as tar:
        for name, content in _as_png(pictures):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            count += 1
    return count


def _as_png(pictures: Iterable[tuple[str, str, np.ndarray]]) -> Iterator[tuple[str, bytes]]:
    from PIL import Image

    seen: dict[str, int] = {}
    for split, label, pixels in pictures:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        folder = f"{split}/{label.replace('/', '-')}"
        seen[folder] = seen.get(folder, -1) + 1
        yield f"{folder}/{seen[folder]:05}.png", buffer.getvalue()
