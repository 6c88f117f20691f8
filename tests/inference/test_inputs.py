import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.data.example import Example, Trouble
from multicnn.data.request import Columns
from multicnn.errors import UsageError
from multicnn.inference.inputs import Request, items
from multicnn.inference.lines import read_blocks
from multicnn.pipeline import Kind


def names(kind: Kind, *inputs: object, **request: object) -> list[str]:
    """The names of all items; those that cannot be used with a `!` and the reason."""
    found = [one for some in items(kind, Request(inputs=[str(i) for i in inputs], **request)) for one in some]  # type: ignore[arg-type]
    return [f"!{one.name}: {one.reason}" if isinstance(one, Trouble) else one.name for one in found]


def descriptor(content: bytes) -> int:
    """A pipe with something in it, and its end."""
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    return read


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """a/2.png a/10.png a/notes.md a/deep/3.PNG .hidden/4.png, from inside."""
    for name in ("a/2.png", "a/10.png", "a/notes.md", "a/deep/3.PNG", ".hidden/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_searched_in_natural_order(files: Path) -> None:
    notes: list[str] = []
    assert names("image", "a", note=notes.append) == ["a/2.png", "a/10.png", "a/deep/3.PNG"]
    assert notes == ["a: 1 files with other endings were passed over"]
    assert names("image", "a/") == names("image", "a")


def test_a_folder_with_nothing_to_read_says_so(files: Path) -> None:
    (line,) = names("audio", "a")
    assert line.startswith("!a: nothing in it can be classified")


def test_patterns_are_expanded_here(files: Path) -> None:
    assert names("image", "a/*.png") == ["a/2.png", "a/10.png"]
    assert names("image", "a/**/*") == ["a/2.png", "a/10.png", "a/deep/3.PNG", "a/notes.md"]
    assert names("image", "*") == ["a/2.png", "a/10.png", "a/deep/3.PNG"]
    assert names("image", "b*") == ["!b*: nothing matches this pattern"]


def test_a_name_that_exists_is_no_pattern(files: Path) -> None:
    Path("[1]*.png").write_bytes(b"x")
    assert names("image", "[1]*.png") == ["[1]*.png"]


def test_a_missing_file_has_its_place_and_the_nearest_name(files: Path) -> None:
    assert names("image", "a/2.png", "a/11.png", "a/10.png") == [
        "a/2.png",
        "!a/11.png: there is no such file; did you mean 10.png?",
        "a/10.png",
    ]


def test_a_named_file_may_have_any_ending(files: Path) -> None:
    assert names("image", "a/notes.md") == ["a/notes.md"]


def test_an_archive_is_read_like_a_folder(files: Path) -> None:
    with tarfile.open("all.tar.gz", "w:gz") as tar:
        tar.add("a")
    assert names("image", "all.tar.gz") == ["all.tar.gz/a/2.png", "all.tar.gz/a/10.png", "all.tar.gz/a/deep/3.PNG"]
    (first, *_), *_ = items("image", Request(inputs=["all.tar.gz"]))
    assert isinstance(first, Example) and first.load() == b"x"


def test_a_damaged_archive_is_an_error_line_among_others(files: Path) -> None:
    Path("bad.tar").write_bytes(b"no archive" * 100)
    first, second = names("image", "bad.tar", "a/2.png")
    assert first.startswith("!bad.tar: ") and second == "a/2.png"
    with pytest.raises(UsageError, match="damaged"):
        names("image", "bad.tar")


def test_paths_on_standard_input(files: Path) -> None:
    stdin = descriptor(b"a/2.png\r\n\na/gone.png")
    assert names("image", "-", stdin=stdin) == ["a/2.png", "!: the path is empty", "a/gone.png"]


def test_nul_separated_names_may_hold_line_feeds() -> None:
    assert names("image", "-", nul=True, stdin=descriptor(b"a\nb.png\0c.png\0")) == ["a\nb.png", "c.png"]


def test_texts_on_standard_input() -> None:
    stdin = descriptor("\ufeffgood day\n\nsch\xf6n\r\n".encode() + b"latin \xe9\n last")
    assert names("text", "-", stdin=stdin) == [
        "good day",
        "!: the text is empty",
        "sch\xf6n",
        "!latin \udce9: the text is not UTF-8; convert it first (iconv -f latin1 -t utf-8)",
        " last",
    ]


def test_single_texts_come_first() -> None:
    assert names("text", "-", texts=["one", ""], stdin=descriptor(b"two")) == ["one", "!: the text is empty", "two"]


def test_a_text_file_is_a_document_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("one\ntwo\n")
    assert names("text", path) == [str(path)]
    assert names("text", path, lines=True) == ["one", "two"]
    assert names("text", tmp_path, lines=True) == [f"!{tmp_path}: it cannot be read line by line (Is a directory)"]


def test_rows_of_a_manifest_keep_their_order_even_broken_ones(files: Path) -> None:
    Path("m.csv").write_text("file,label\na/2.png,cat\na/gone.png,dog\nbroken\n,dog\na/10.png,\n")
    first, gone, broken, empty, last = names("image", "m.csv")
    assert (first, last) == ("a/2.png", "a/10.png")
    assert gone.startswith("!a/gone.png: there is no such file")
    assert broken.startswith("!m.csv:3: ")
    assert empty == "!m.csv:4: the path is empty"


def test_rows_of_texts_are_named_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"words": "good"}\n{"words": ""}\n')
    columns = Columns(text="words")
    assert names("text", path, columns=columns) == [f"{path}:1", f"!{path}:2: the text is empty"]
    with pytest.raises(UsageError, match="did you mean words"):
        names("text", path, columns=Columns(text="word"))


def test_a_root_says_where_paths_start(files: Path, tmp_path: Path) -> None:
    (tmp_path / "a" / "m.tsv").write_text("path\n2.png\n")
    (tmp_path / "m.tsv").write_text("path\n2.png\n")
    assert names("image", "m.tsv", root="a") == names("image", "a/m.tsv") == ["2.png"]
    assert names("image", "m.tsv")[0].startswith("!2.png: there is no such file")


def test_a_sample_is_an_input() -> None:
    found = [one for some in items("text", Request(inputs=["sample:docstrings"])) for one in some]
    assert len(found) > 100 and all(isinstance(one, Example) for one in found)


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b and not b.endswith(b"\r"))), st.booleans())
def test_lines_come_back_as_they_were_written(lines: list[bytes], ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    expected = io.BytesIO(content).read().split(b"\n")
    expected = expected[:-1] if expected[-1] == b"" else expected
    if expected:
        expected[0] = expected[0].removeprefix(b"\xef\xbb\xbf")
    assert [line for block in read_blocks(descriptor(content)) for line in block.split(b"\n")] == expected


def test_a_line_longer_than_what_is_read_at_once_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a" * 300_000 + b"\n" + b"b" * 100_000)
    with path.open("rb") as file:
        lines = [line for block in read_blocks(file.fileno()) for line in block.split(b"\n")]
    assert lines == [b"a" * 300_000, b"b" * 100_000]
