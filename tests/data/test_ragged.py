"""Arrays of different lengths in one: the same arrays, in memory or in a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from multicnn.data import spool as module
from multicnn.data.ragged import Packer, Ragged, blocks
from multicnn.errors import MulticnnError

RNG = np.random.default_rng(0)
ARRAYS = [RNG.integers(0, 1000, length, dtype=np.int32) for length in (3, 0, 7, 1, 40, 2)]


def packed(arrays: Sequence[np.ndarray]) -> Ragged:
    packer = Packer()
    for one in arrays:
        packer.add(one)
    return packer.packed()


@pytest.mark.parametrize("in_memory", [module.IN_MEMORY, 100, 1])
def test_gives_the_same_arrays_back(in_memory: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", in_memory)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = packed(ARRAYS)
    assert len(found) == len(ARRAYS)
    for one, other in zip(found, ARRAYS, strict=True):
        assert one.dtype == np.int32
        np.testing.assert_array_equal(one, other)
    assert found.lengths.tolist() == [len(one) for one in ARRAYS]
    np.testing.assert_array_equal(found[-1], ARRAYS[-1])
    assert [one.tolist() for one in found[1:4]] == [one.tolist() for one in ARRAYS[1:4]]
    assert not list(tmp_path.iterdir())  # the file has no name any more
    with pytest.raises(IndexError):
        found[len(ARRAYS)]


@pytest.mark.parametrize("in_memory", [module.IN_MEMORY, 1])
def test_several_go_behind_the_others(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", in_memory)
    packer = Packer()
    packer.extend(packed(ARRAYS[:2]))
    packer.add(ARRAYS[2])
    some = packed(ARRAYS[:5])
    packer.extend(Ragged(some.flat, some.ends[3:]))  # arrays that others stand before
    packer.extend(packed([]))
    packer.extend(packed(ARRAYS[5:]))
    assert packer.count == len(ARRAYS)
    assert [one.tolist() for one in packer.packed()] == [one.tolist() for one in ARRAYS]


def test_blocks_hold_some_characters() -> None:
    texts = ["ab", "", "c", "defg", "h", "", "ij"]
    assert blocks(iter(texts), 3) == [["ab", "", "c"], ["defg"], ["h", "", "ij"]]
    assert blocks(texts, 1000) == [texts]
    assert blocks([], 3) == []


def test_nothing_is_packed_too() -> None:
    assert list(packed([])) == []
    assert [one.tolist() for one in packed(ARRAYS[1:2])] == [[]]


def test_a_temporary_folder_that_is_gone_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(MulticnnError, match="gone cannot be written: No such file or directory; TMPDIR"):
        packed(ARRAYS)


def test_empty_arrays_can_be_left_out() -> None:
    found = packed([*ARRAYS, *ARRAYS[1:2]]).without_empty()
    assert [one.tolist() for one in found] == [one.tolist() for one in ARRAYS if len(one)]


@pytest.mark.parametrize("longest", [1, 3, 100])
def test_a_stretch_of_each(longest: int) -> None:
    starts = np.array([min(2, len(one)) for one in ARRAYS])
    found = packed(ARRAYS).parts(starts, longest)
    expected = [one[start : start + longest].tolist() for one, start in zip(ARRAYS, starts, strict=True)]
    assert [one.tolist() for one in found] == expected
    assert found.lengths.tolist() == [len(one) for one in expected]
