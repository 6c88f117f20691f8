"""Strings and values come out as they went in, from memory or from a file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.data import spool, strings
from multicnn.data.strings import StringPacker, Strings, Values

TEXTS = ["a film", "", "fünf 我喜欢猫 🙂", "a\nb\r\n\0", "\ud800 alone", "a film", "x" * 40]


def packed(texts: list[str]) -> Strings:
    packer = StringPacker()
    for start in range(0, len(texts), 2):
        packer.extend(texts[start : start + 2])
    assert len(packer) == len(texts)
    return packer.packed()


@pytest.mark.parametrize("in_memory", [spool.IN_MEMORY, 20, 1])
def test_gives_the_same_strings_back(in_memory: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", in_memory)
    monkeypatch.setattr(spool, "WRITTEN_AT_ONCE", 1)
    monkeypatch.setattr(strings, "DECODED_AT_ONCE", 3)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = packed(TEXTS)
    assert list(found) == TEXTS
    assert [found[place] for place in range(len(TEXTS))] == TEXTS
    assert found[-2] == TEXTS[-2] and found[1:4] == TEXTS[1:4]
    some = found.take(np.array([4, 2]))
    assert list(some) == [TEXTS[4], TEXTS[2]] and list(some.take(np.array([False, True]))) == [TEXTS[2]]
    assert not list(tmp_path.iterdir())  # the file has no name any more
    with pytest.raises(IndexError):
        found[len(TEXTS)]


def test_none_at_all() -> None:
    assert list(packed([])) == [] and packed([]).stretches(5) == [] and packed([]).firsts().tolist() == []


@given(st.lists(st.text(max_size=6), max_size=20), st.integers(1, 12))
def test_stretches_are_all_of_them_in_order(texts: list[str], size: int) -> None:
    found = packed(texts)
    stretches = found.stretches(size)
    assert [text for stretch in stretches for text in found[stretch]] == texts
    lengths = [[len(text.encode()) for text in found[stretch]] for stretch in stretches]
    assert all(sum(its[:-1]) <= size for its in lengths)
    assert len(lengths) <= sum(map(sum, lengths)) // size + 1


@given(st.lists(st.sampled_from(["a", "b", "", "ab"]), max_size=20), st.booleans())
def test_firsts_are_the_places_of_equal_strings(texts: list[str], collide: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if collide:  # as if all had the same hash
            patch.setattr(strings, "hash", lambda text: 7, raising=False)
        assert packed(texts).firsts().tolist() == [texts.index(text) for text in texts]


@given(st.lists(st.sampled_from(["a", "b", None, "c"]), max_size=20))
def test_values(given_values: list[str | None]) -> None:
    values = Values.of(iter(given_values))
    assert list(values) == given_values and [values[place] for place in range(len(values))] == given_values
    assert values.occurring() == set(given_values)
    assert list(values[1:3]) == given_values[1:3]
    for value in ("a", None, "z"):
        assert values.are(value).tolist() == [one == value for one in given_values]
    few = values.take(values.are("a"))
    assert set(few) == few.occurring() == {"a"} & set(given_values)
