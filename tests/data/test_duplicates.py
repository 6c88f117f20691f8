"""Equal content, equal number; linked examples, one group."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from multicnn.data.blob import Blob
from multicnn.data.duplicates import content_numbers, merge_groups
from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.data.strings import Values


def test_numbers_are_equal_exactly_where_contents_are(tmp_path: Path) -> None:
    contents = [b"same", b"diff", b"same", b"longer", b"", b""]
    files = [tmp_path / str(i) for i in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    packed = tmp_path / "packed"
    packed.write_bytes(b"xxsame")
    examples = [Example(str(f), Blob(f)) for f in files]
    examples += [Example("p", Blob(packed, 2, 4))]
    for some in (examples, [Example(str(i), text) for i, text in enumerate(["same", "Same", "", "same", "s", ""])]):
        loaded = [example.load() for example in some]
        assert numbers(some) == [loaded.index(one) for one in loaded]


def numbers(examples: list[Example]) -> list[int]:
    return content_numbers(Examples.of(examples)).tolist()


def test_files_of_a_size_of_their_own_are_not_read(tmp_path: Path) -> None:
    unreadable = Blob(tmp_path / "gone", 0, 17)  # reading it would fail; its size is known all the same
    assert len(set(numbers([Example("a", unreadable), Example("b", Blob(tmp_path / "gone", 0, 18))]))) == 2


def test_what_cannot_be_read_is_like_no_other(tmp_path: Path) -> None:
    gone = Blob(tmp_path / "gone")
    assert len(set(numbers([Example("a", gone), Example("b", gone)]))) == 2


@given(st.lists(st.tuples(st.sampled_from("pqrst"), st.sampled_from([None, "g", "h"])), max_size=12))
def test_merge_is_the_transitive_closure(pairs: list[tuple[str, str | None]]) -> None:
    contents = np.array(["pqrst".index(content) for content, _ in pairs], np.int64)
    numbers = merge_groups(contents, Values.of(group for _, group in pairs))
    linked = [
        [i == j or a[0] == b[0] or (a[1] is not None and a[1] == b[1]) for j, b in enumerate(pairs)]
        for i, a in enumerate(pairs)
    ]
    for k in range(len(pairs)):  # Warshall
        for i in range(len(pairs)):
            for j in range(len(pairs)):
                linked[i][j] = linked[i][j] or (linked[i][k] and linked[k][j])
    for i in range(len(pairs)):
        for j in range(len(pairs)):
            assert (numbers[i] == numbers[j]) == linked[i][j]
