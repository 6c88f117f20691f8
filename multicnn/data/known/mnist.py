"""MNIST, and Fashion-MNIST, which is laid out alike."""

import gzip
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import write_pictures

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt or top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: Path) -> np.ndarray:
    """The array in an IDX file of bytes: two zeros, 8 for bytes, the number of axes, then each axis's length.

    Raises:
        ValueError: it is none.
    """
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    axes = content[3] if content.startswith(b"\0\0\x08") else 0
    shape = np.frombuffer(content[4 : 4 + 4 * axes], ">i4")
    if not axes or len(content) != 4 + 4 * axes + int(np.prod(shape)):
        raise ValueError(f"{path.name} is no IDX file of bytes")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def pictures(files: Files, names: Sequence[str]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Part, label and pixels, [28, 28], of each picture."""
    for part, prefix in PARTS.items():
        pixels, labels = read_idx(files[f"{prefix}-images-idx3-ubyte"]), read_idx(files[f"{prefix}-labels-idx1-ubyte"])
        for picture, label in zip(pixels, labels, strict=True):
            yield part, names[label], picture


def _lay_out(names: Sequence[str], files: Files, archive: Path) -> int:
    return write_pictures(archive, pictures(files, names))


def _remotes(address: str, checksums: dict[str, str]) -> tuple[Remote, ...]:
    return tuple(Remote(f"{address}/{file}.gz", f"md5:{md5}", "torchvision") for file, md5 in checksums.items())


WANTED = re.compile(r"(?:^|/)((?:train|t10k)-(?:images-idx3|labels-idx1)-ubyte)(?:\.gz)?$")
MNIST = Known(
    "mnist",
    "image",
    "handwritten digits, 28 x 28, train/test (LeCun et al. 1998)",
    _remotes(
        "https://ossci-datasets.s3.amazonaws.com/mnist",  # torchvision's copy; the original's server refuses many
        {
            "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    WANTED,
    70_000,
    "mnist.tar",
    partial(_lay_out, DIGITS),
)
FASHION_MNIST = Known(
    "fashion_mnist",
    "image",
    "10 kinds of clothes, 28 x 28, train/test (Xiao et al. 2017)",
    _remotes(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        {
            "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    WANTED,
    70_000,
    "fashion_mnist.tar",
    partial(_lay_out, CLOTHES),
)
