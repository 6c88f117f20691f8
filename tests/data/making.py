"""Small real files for the tests of data sets."""

import io
import tarfile
from pathlib import Path

from PIL import Image

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def picture(shade: int = 0, size: tuple[int, int] = (8, 8), format_: str = "PNG") -> bytes:
    """An encoded picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, shade // 256, 7)).save(buffer, format_)
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    """Writes files by relative path, and returns the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def pack(path: Path, files: dict[str, bytes | str], mode: str = "w") -> Path:
    """Packs files into a tar archive, and returns its path."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
