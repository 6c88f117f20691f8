"""Real handwritten digits: the test part of the UCI "Optical Recognition of Handwritten Digits" data (Alpaydin and
Kaynak 1998), as scikit-learn ships them: 1,797 pictures of 8 x 8 pixels with 17 levels."""

import importlib.util
import io
from pathlib import Path

import numpy as np


def digits() -> tuple[list[bytes], list[str]]:
    """The pictures as grey PNG files of 8 x 8 pixels, levels 0 to 16 spread over 0 to 255, and the labels 0 to 9."""
    from PIL import Image

    table = _table()
    pixels = np.rint(table[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    encoded = []
    for picture in pixels:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "png", compress_level=1)
        encoded.append(buffer.getvalue())
    return encoded, [str(int(label)) for label in table[:, 64]]


def _table() -> np.ndarray:
    """scikit-learn's table, [1797, 64 pixels + label]; from its file, for importing scikit-learn takes a second."""
    spec = importlib.util.find_spec("sklearn")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])
