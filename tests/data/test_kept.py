"""What is kept for the next time: held while it is used, and the longest unused removed above the limit."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from multicnn.data.kept import ABOUT, kept, limit, make_room, remove
from multicnn.errors import UsageError


def keep(root: Path, name: str, megabytes: int, used: int) -> Path:
    """A folder of that size, last used so many seconds after another."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "rows").write_bytes(bytes(1_000_000 * megabytes))
    (folder / ABOUT).write_text(json.dumps({"data": f"{name}/", "examples": 3}))
    os.utime(folder / ABOUT, (used, used))
    return folder


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Another process holds the folder."""
    code = "import sys; from pathlib import Path; from multicnn.data.kept import hold\n"
    code += "hold(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.communicate()


def test_the_last_used_is_told_first(tmp_path: Path) -> None:
    keep(tmp_path / "a", "old", 1, used=10)
    keep(tmp_path / "b", "new", 2, used=20)
    assert [(one["data"], one["examples"]) for one in kept(tmp_path / "a", tmp_path / "b")] == [
        ("new/", 3),
        ("old/", 3),
    ]
    assert kept(tmp_path / "a")[0]["bytes"] > 1_000_000
    (tmp_path / "a" / "old" / ABOUT).write_text("damaged")
    assert kept(tmp_path / "a")[0]["data"] == "?"


def test_what_was_used_longest_ago_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [keep(tmp_path, name, 1, used) for used, name in enumerate(("first", "second", "third", "fourth"))]
    monkeypatch.setenv("MULTICNN_CACHE_LIMIT", "0.0025")
    with in_use(folders[0]):
        told = make_room(tmp_path)
    assert [folder.exists() for folder in folders] == [True, False, False, True]
    assert "2.0 MB, of second/, third/" in told
    assert make_room(tmp_path) == ""


def test_what_is_in_use_is_not_removed(tmp_path: Path) -> None:
    folder = keep(tmp_path, "one", 1, used=1)
    with in_use(folder):
        assert not remove(folder)
        assert (folder / "rows").exists()
    assert remove(folder)
    assert not folder.exists()


def test_the_limit_is_50_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MULTICNN_CACHE_LIMIT")
    assert limit() == 50e9


@pytest.mark.parametrize("written", ["much", "-1", "nan"])
def test_a_limit_is_a_number_of_gigabytes(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICNN_CACHE_LIMIT", written)
    with pytest.raises(UsageError, match=f"MULTICNN_CACHE_LIMIT is a number of gigabytes, such as 50, not {written}"):
        limit()
