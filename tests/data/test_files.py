"""A file is replaced as a whole, or not at all."""

import os
from pathlib import Path

import pytest

from multicnn.data.blob import Blob
from multicnn.data.files import write_atomically
from multicnn.errors import InputError, MulticnnError


def test_writes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_atomically(target, "é\n")
    write_atomically(target, b"second")
    assert target.read_bytes() == b"second"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_a_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MulticnnError, match="cannot be written: No space left"):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    with pytest.raises(MulticnnError, match="cannot be written"):
        write_atomically(tmp_path, "x")


def test_blobs(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"0123456789")
    assert Blob(file).read() == b"0123456789"
    assert Blob(file, 4).read() == b"456789"
    assert Blob(file, 4, 3).read() == b"456"
    assert [Blob(file, 4, 3).length(), Blob(file, 4).length()] == [3, 6]
    with pytest.raises(InputError, match="ends after 2 of its 5 bytes"):
        Blob(file, 8, 5).read()
    with pytest.raises(InputError, match="ends after 2 of its 5 bytes"):
        Blob(file, 8, 5).open()
    with pytest.raises(InputError, match="there is no such file"):
        Blob(tmp_path / "b").read()
