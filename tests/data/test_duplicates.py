"""Equal content, equal key; linked examples, one group."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from multicnn.data.blob import Blob
from multicnn.data.duplicates import content_keys, merge_groups
from multicnn.data.example import Example


def test_keys_are_equal_exactly_where_contents_are(tmp_path: Path) -> None:
    contents = [b"same", b"diff", b"same", b"longer", b"", b""]
    files = [tmp_path / str(i) for i in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    packed = tmp_path / "packed"
    packed.write_bytes(b"xxsame")
    examples = [Example(str(f), Blob(f)) for f in files]
    examples += [Example("p", Blob(packed, 2, 4)), Example("t", "same"), Example("u", "same"), Example("v", "Same")]
    keys = content_keys(examples)
    loaded = [example.load() for example in examples]
    for i, a in enumerate(loaded):
        for j, b in enumerate(loaded):
            assert (keys[i] == keys[j]) == (a == b)


def test_files_of_a_size_of_their_own_are_not_read(tmp_path: Path) -> None:
    unreadable = Blob(tmp_path / "gone", 0, 17)  # reading it would fail; its size is known all the same
    assert len(set(content_keys([Example("a", unreadable), Example("b", Blob(tmp_path / "gone", 0, 18))]))) == 2


def test_what_cannot_be_read_is_like_no_other(tmp_path: Path) -> None:
    gone = Blob(tmp_path / "gone")
    assert len(set(content_keys([Example("a", gone), Example("b", gone)]))) == 2


@given(st.lists(st.tuples(st.sampled_from("pqrst"), st.sampled_from([None, "g", "h"])), max_size=12))
def test_merge_is_the_transitive_closure(pairs: list[tuple[str, str | None]]) -> None:
    numbers = merge_groups([content for content, _ in pairs], [group for _, group in pairs])
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
