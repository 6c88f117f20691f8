"""Makes a data set of MNIST's shape where MNIST cannot be fetched: 70,000 grey pictures of 28 x 28, ten digits.

Each is one of scikit-learn's 1,797 real handwritten digits (8 x 8): enlarged, turned, sheared, scaled and shifted.
The 10,000 test pictures come from other originals than the 60,000 training pictures (a stratified fifth of them).

    python benchmarks/small_gray.py small_gray.tar
    multicnn train image small_gray.tar --arch lenet --time-budget 5m
"""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIDE = 28
PARTS = {"train": 60_000, "test": 10_000}


def moved(digit: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A digit, 8 x 8, drawn into 28 x 28 with its own slant, size and place."""
    angle, shear, scale = rng.normal(0, 0.2), rng.normal(0, 0.15), 8 / rng.uniform(17, 23)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.array([[1, shear], [0, 1]])
    matrix = turn * scale
    centre = np.array([SIDE, SIDE]) / 2 + rng.uniform(-2.5, 2.5, 2)
    offset = np.array([4, 4]) - matrix @ centre
    data = (*matrix[0], offset[0], *matrix[1], offset[1])
    return digit.transform((SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC)


def main(target: Path) -> None:
    """Writes the archive."""
    digits, labels = load_digits(return_X_y=True)
    pictures = [Image.fromarray((one.reshape(8, 8) * 255 / 16).astype(np.uint8)) for one in digits]
    train, test = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=0)
    rng = np.random.default_rng(0)
    with tarfile.open(target, "w") as archive:
        for (part, count), originals in zip(PARTS.items(), (train, test), strict=True):
            for number, original in enumerate(rng.choice(originals, count)):
                content = io.BytesIO()
                moved(pictures[original], rng).save(content, "PNG", compress_level=1)
                member = tarfile.TarInfo(f"{part}/{labels[original]}/{number:05}.png")
                member.size = content.tell()
                content.seek(0)
                archive.addfile(member, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
