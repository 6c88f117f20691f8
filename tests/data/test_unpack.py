"""Files out of archives, whatever these are."""

import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from data.making import pack, write

from multicnn.data.unpack import take_out
from multicnn.errors import UsageError

WANTED = re.compile(r"(?:^|/)(sounds/[^/]+\.wav)$")


def test_only_what_is_wanted_is_written(tmp_path: Path) -> None:
    archive = pack(
        tmp_path / "a.tar.gz", {"top/sounds/1.wav": b"1", "top/sounds/read.me": b"2", "sounds/deep/3.wav": b""}, "w:gz"
    )
    assert take_out(archive, WANTED, tmp_path / "out") == {"sounds/1.wav": tmp_path / "out/sounds/1.wav"}
    assert (tmp_path / "out/sounds/1.wav").read_bytes() == b"1"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [tmp_path / "out/sounds/1.wav"]


def test_nothing_leaves_the_folder(tmp_path: Path) -> None:
    names = ("../../sounds/1.wav", "/sounds/2.wav", "../sounds/../../3.wav")
    pack(tmp_path / "a.tar", dict.fromkeys(names, b"x"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    for archive_ in ("a.tar", "a.zip"):
        found = take_out(tmp_path / archive_, WANTED, tmp_path / "in" / "out")
        assert set(found) == {"sounds/1.wav", "sounds/2.wav"}
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav")}
    assert files == {"in/out/sounds/1.wav", "in/out/sounds/2.wav"}


def test_links_are_passed_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("sounds/1.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link, io.BytesIO())
    assert take_out(tmp_path / "a.tar", WANTED, tmp_path / "out") == {}


def test_the_files_of_a_folder_stay(tmp_path: Path) -> None:
    folder = write(tmp_path / "copy", {"deep/sounds/1.wav": b"1"})
    assert take_out(folder, WANTED, tmp_path / "out") == {"sounds/1.wav": folder / "deep/sounds/1.wav"}
    assert not (tmp_path / "out").exists()


def test_a_single_file_is_itself(tmp_path: Path) -> None:
    write(tmp_path, {"a.label": "NUM:date When ?"})
    assert take_out(tmp_path / "a.label", re.compile(r"(a\.label)$"), tmp_path) == {"a.label": tmp_path / "a.label"}


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_a_damaged_archive_is_an_error(tmp_path: Path, name: str) -> None:
    noise = bytes(range(256)) * 4000
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("sounds/1.wav", noise)
        content = bytearray((tmp_path / name).read_bytes())
        content[500] ^= 1
    else:
        content = bytearray(pack(tmp_path / name, {"sounds/1.wav": noise}, "w:gz").read_bytes()[:-400])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="the archive is damaged"):
        take_out(tmp_path / name, WANTED, tmp_path / "out")
