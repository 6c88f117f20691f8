"""CIFAR-10 and CIFAR-100, from the binary version: the one for Python is pickled, and a pickle can run code."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import write_pictures

PIXELS = 3 * 32 * 32
PAGE = "https://www.cs.toronto.edu/~kriz"


def pictures(files: Files, names: str, label_bytes: int) -> Iterator[tuple[str, str, np.ndarray]]:
    """Part, label and pixels, [32, 32, 3], of each picture.

    Args:
        files: batches, each row of which is a label and the rows of the red, the green and the blue plane.
        names: the file with a class's name on each line.
        label_bytes: before the pixels; the last one is the class.
    """
    labels = files[names].read_text("ascii").split()
    for name in sorted(files):
        if not name.endswith(".bin"):
            continue
        part = "test" if name.startswith("test") else "train"
        rows = np.fromfile(files[name], dtype=np.uint8).reshape(-1, label_bytes + PIXELS)
        planes = rows[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        for label, picture in zip(rows[:, label_bytes - 1], planes, strict=True):
            yield part, labels[label], picture


def _lay_out_10(files: Files, archive: Path) -> int:
    return write_pictures(archive, pictures(files, "batches.meta.txt", 1))


def _lay_out_100(files: Files, archive: Path) -> int:
    return write_pictures(archive, pictures(files, "fine_label_names.txt", 2))


CIFAR10 = Known(
    "cifar10",
    "image",
    "10 classes of photographs, 32 x 32, train/test (Krizhevsky 2009)",
    (Remote(f"{PAGE}/cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530", "the data set's page"),),
    re.compile(r"(?:^|/)((?:data_batch_[1-5]|test_batch)\.bin|batches\.meta\.txt)$"),
    60_000,
    "cifar10.tar",
    _lay_out_10,
)
CIFAR100 = Known(
    "cifar100",
    "image",
    "100 classes of photographs, 32 x 32, train/test (Krizhevsky 2009)",
    (Remote(f"{PAGE}/cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8", "the data set's page"),),
    re.compile(r"(?:^|/)((?:train|test)\.bin|fine_label_names\.txt)$"),
    60_000,
    "cifar100.tar",
    _lay_out_100,
)
