"""Arrays in a file: what was written comes back, in any order, and a full disk is an error."""

import io
import os
from pathlib import Path

import numpy as np
import pytest

from multicnn.data.rows import RowFile, Rows
from multicnn.errors import MulticnnError


@pytest.fixture
def file(tmp_path: Path) -> RowFile:
    file = RowFile(tmp_path / "rows", 10, (2, 3), np.dtype(np.float32))
    for row in range(0, 10, 2):
        file[row] = np.full((2, 3), row, np.float32)
    return file


def test_rows_come_back_and_the_unwritten_are_zeros(file: RowFile) -> None:
    assert [float(file[row].max()) for row in range(10)] == [0, 0, 2, 0, 4, 0, 6, 0, 8, 0]
    assert file.whole().shape == (10, 2, 3)
    np.testing.assert_array_equal(file.whole()[6], file[6])


def test_opening_again_keeps_what_is_there(file: RowFile) -> None:
    again = RowFile(file.path, 10, (2, 3), np.dtype(np.float32))
    np.testing.assert_array_equal(again.whole(), file.whole())


def test_some_rows_in_an_order_of_their_own(file: RowFile) -> None:
    rows = Rows(file, np.array([8, 2, 8]))
    assert len(rows) == 3
    assert rows.nbytes == 3 * 24
    assert [float(one[0, 0]) for one in rows] == [float(rows[i][0, 0]) for i in range(3)] == [8, 2, 8]


def test_a_file_that_was_cut_short_is_an_error(file: RowFile) -> None:
    os.truncate(file.path, 100)
    with pytest.raises(MulticnnError, match="cut short"):
        file[8]


def test_a_disk_that_fills_up_is_an_error(file: RowFile, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            return 5

    monkeypatch.setattr(file, "_file", Full())
    with pytest.raises(MulticnnError, match="No space left"):
        file[0] = np.zeros((2, 3), np.float32)
