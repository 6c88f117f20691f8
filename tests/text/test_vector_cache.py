"""Word vectors that were read before: the same words and numbers, unless their file has changed."""

import json
from pathlib import Path

import numpy as np
import pytest

from multicnn.text import vectors as reading
from multicnn.text.vector_cache import kept_vectors, vectors_folder
from multicnn.text.vectors import open_vectors
from tests.conftest import Cli


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose reading always counts as long."""
    monkeypatch.setenv("MULTICNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(reading, "WORTH", -1)
    path = tmp_path / "v.txt"
    path.write_text("the 0.1 0.2\nship 0.3 0.4\nüber 0.5 0.6\n")
    return path


def test_the_second_time_they_are_not_read_again(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = open_vectors(file)
    assert "is kept in" in capsys.readouterr().err
    monkeypatch.setattr(reading, "_read", lambda path: pytest.fail("it was read again"))
    again = open_vectors(file)
    assert isinstance(again.vectors, np.memmap)
    assert again.index_to_key == first.index_to_key and again.key_to_index == first.key_to_index
    np.testing.assert_array_equal(again.vectors, first.vectors)
    np.testing.assert_array_equal(again["ship"], first["ship"])
    assert [word for word, _ in again.most_similar("the", topn=2)] == ["ship", "über"]


def test_a_file_that_was_written_anew_is_read_anew(file: Path) -> None:
    open_vectors(file)
    file.write_text("wave 1 2\nboat 3 4\n")
    assert open_vectors(file).index_to_key == ["wave", "boat"]
    assert len(list(vectors_folder().iterdir())) == 2


@pytest.mark.parametrize("ending", [".npy", ".json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\x93NUMPY"])
def test_a_damaged_cache_does_not_count(ending: str, content: bytes, file: Path) -> None:
    open_vectors(file)
    (damaged,) = vectors_folder().glob(f"*{ending}")
    damaged.write_bytes(content)
    assert kept_vectors(file) is None
    assert open_vectors(file).index_to_key == ["the", "ship", "über"]
    assert kept_vectors(file) is not None


@pytest.mark.parametrize("lost", ["file", "length", "words"])
def test_a_cache_that_lacks_something_does_not_count(lost: str, file: Path) -> None:
    open_vectors(file)
    (about,) = vectors_folder().glob("*.json")
    about.write_text(json.dumps({name: held for name, held in json.loads(about.read_text()).items() if name != lost}))
    assert kept_vectors(file) is None


def test_what_is_read_quickly_is_not_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WORTH", 60)
    open_vectors(file)
    assert not vectors_folder().exists()


def test_a_folder_that_cannot_be_written_is_no_error(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert len(open_vectors(file)) == 3
    assert "is not kept for the next time" in capsys.readouterr().err


def test_data_cache_lists_and_removes_them(file: Path, cli: Cli, few_pictures: Path, tmp_path: Path) -> None:
    open_vectors(file)
    quick = ("--arch", "lenet", "--epochs", "1", "--device", "cpu", "--cache", "on")
    assert cli("train", "image", few_pictures, "-o", tmp_path / "run", *quick).returncode == 0
    pictures, vectors = json.loads(cli("data", "cache", "--json").stdout)
    assert (pictures["data"], vectors["data"]) == (str(few_pictures), "v.txt")
    assert vectors["bytes"] == sum(Path(one).stat().st_size for one in vectors["files"]) > 24
    assert [len(line.split()) for line in cli("data", "cache").stdout.splitlines()] == [5, 5]
    cleared = cli("data", "cache", "--clear")
    assert f"2 removed in {tmp_path / 'cache'}" in cleared.stderr
    assert not list(vectors_folder().iterdir())
    assert json.loads(cli("data", "cache", "--json").stdout) == []
