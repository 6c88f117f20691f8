"""From examples to arrays: in order, by threads or without, in memory or in a file."""

import time
from pathlib import Path

import numpy as np
import pytest

from multicnn.data import decode as module
from multicnn.data.decode import collect, decode, in_parallel
from multicnn.data.example import Example
from multicnn.data.recordings import Pieces
from multicnn.data.rows import Rows
from multicnn.errors import InputError


class Squares:
    """Reads a number as a square of it; 13 cannot be read."""

    def read(self, content: bytes | str) -> np.ndarray:
        if content == "13":
            raise InputError("bad luck")
        return np.full((3, 3), int(content), np.float32)


@pytest.mark.parametrize("pause", [0, 300e-6])
def test_results_come_in_order_by_threads_or_without(pause: float) -> None:
    def slowly(item: int) -> int:
        time.sleep(pause)
        return -item

    for count in (0, 1, 500):
        assert list(in_parallel(slowly, range(count), 3)) == [-item for item in range(count)]


def test_what_does_not_fit_the_memory_lies_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    examples = [Example(str(number), str(number), str(-number)) for number in range(200)]
    pieces = Pieces(examples, np.arange(200))
    inside = collect(pieces, decode(examples, Squares(), 2))  # type: ignore[arg-type]
    assert isinstance(inside.arrays, np.ndarray)
    monkeypatch.setattr(module, "fits_memory", lambda size: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outside = collect(pieces, decode(examples, Squares(), 2))  # type: ignore[arg-type]
    assert isinstance(outside.arrays, Rows)
    np.testing.assert_array_equal(np.stack(list(outside.arrays)), inside.arrays)
    assert inside.labels == outside.labels == [str(-number) for number in range(200) if number != 13]
    assert [str(trouble) for trouble in outside.troubles] == ["13: bad luck"]
    assert not list(tmp_path.iterdir())  # the file has no name any more
