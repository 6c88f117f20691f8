"""Downloads from a server that breaks off, stalls and sends other content than was promised."""

import hashlib
import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from data.serving import Behaviour, serving

from multicnn.data import download
from multicnn.data.download import difference, fetch
from multicnn.errors import MulticnnError

CONTENT = random.Random(0).randbytes(100_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture
def server() -> Iterator[Behaviour]:
    with serving(Behaviour({"a.bin": CONTENT})) as behaviour:
        yield behaviour


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("checksum", [MD5, MD5[:12], f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", ""])
def test_a_file_comes_whole_and_alone(
    server: Behaviour, tmp_path: Path, checksum: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = fetch(f"{server.address}/a.bin", tmp_path / "new" / "a.bin", checksum)
    assert path.read_bytes() == CONTENT
    assert left(tmp_path / "new") == ["a.bin"]
    assert re.fullmatch(r"multicnn: downloading http\S+/a.bin \(0.1 MB\) to \S+\n", capfd.readouterr().err)


@pytest.mark.parametrize("checksum", [MD5, ""])
def test_what_breaks_off_is_gone_on_with(
    server: Behaviour, tmp_path: Path, checksum: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.breaks = [30_000, 20_000]
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin", checksum).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=30000-", "bytes=50000-"]
    assert left(tmp_path) == ["a.bin"]
    assert capfd.readouterr().err.count("\n") == 1


def test_a_later_call_goes_on_where_an_earlier_one_was_given_up(server: Behaviour, tmp_path: Path) -> None:
    server.breaks = [40_000, 0]
    with pytest.raises(MulticnnError, match=r"it ends after 40,000 of 100,000 bytes; try again to go on from there"):
        fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5)
    assert left(tmp_path) == [".a.bin.part"]
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5).read_bytes() == CONTENT
    assert server.asked[-1] == ("a.bin", "bytes=40000-")
    assert left(tmp_path) == ["a.bin"]


def test_without_a_checksum_a_later_call_begins_anew(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / ".a.bin.part").write_bytes(b"half of another version")
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin").read_bytes() == CONTENT
    assert server.asked == [("a.bin", None)]


def test_a_version_that_changes_in_between_is_fetched_anew(server: Behaviour, tmp_path: Path) -> None:
    server.breaks = [30_000]
    other = bytes(reversed(CONTENT))

    class Changing(dict[str, bytes]):
        def get(self, name: str, default: object = None) -> bytes:  # type: ignore[override]
            if len(server.asked) > 1:
                server.version = '"2"'
                return other
            return CONTENT

    server.files = Changing()
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin").read_bytes() == other


def test_without_a_tag_nothing_is_pieced_together(server: Behaviour, tmp_path: Path) -> None:
    server.version, server.breaks = 'W/"1"', [30_000]
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin").read_bytes() == CONTENT
    assert server.asked == [("a.bin", None), ("a.bin", None)]


def test_a_server_without_ranges_sends_it_all_again(server: Behaviour, tmp_path: Path) -> None:
    server.ranges, server.breaks = False, [30_000]
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5).read_bytes() == CONTENT


def test_a_server_that_always_breaks_off_is_given_up(server: Behaviour, tmp_path: Path) -> None:
    server.ranges, server.breaks = False, [30_000] * 9
    with pytest.raises(MulticnnError, match="30,000 of 100,000"):
        fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5)
    assert len(server.asked) == 2


def test_what_was_whole_already_is_only_checked(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / ".a.bin.part").write_bytes(CONTENT)
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5).read_bytes() == CONTENT
    assert server.asked == [("a.bin", "bytes=100000-")]


def test_more_than_there_is_begins_anew(server: Behaviour, tmp_path: Path) -> None:
    (tmp_path / ".a.bin.part").write_bytes(CONTENT * 2)
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5).read_bytes() == CONTENT


def test_a_stalling_server_is_asked_again(server: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    server.stalls, server.pause = [10_000], 0.6
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5).read_bytes() == CONTENT
    assert server.asked[1] == ("a.bin", "bytes=10000-")


@pytest.mark.parametrize("start", [b"", b"what was left here"])
def test_wrong_content_is_not_kept(server: Behaviour, tmp_path: Path, start: bytes) -> None:
    if start:
        (tmp_path / ".a.bin.part").write_bytes(start)
    promised = MD5 if start else "md5:" + "0" * 32
    with pytest.raises(MulticnnError, match=r"came with the md5 \w{32}\.\.\. instead of \w{32}\.\.\.; try again"):
        fetch(f"{server.address}/a.bin", tmp_path / "a.bin", promised)
    assert left(tmp_path) == []


def test_a_length_that_is_not_announced_is_no_error(
    server: Behaviour, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server.lengths = False
    assert fetch(f"{server.address}/a.bin", tmp_path / "a.bin").read_bytes() == CONTENT
    assert "(size unknown)" in capfd.readouterr().err


def test_what_is_not_there_leaves_nothing_behind(server: Behaviour, tmp_path: Path) -> None:
    with pytest.raises(MulticnnError, match="b.bin cannot be fetched: Not Found"):
        fetch(f"{server.address}/b.bin", tmp_path / "b.bin", MD5)
    assert left(tmp_path) == []


def test_two_at_once_wait_for_each_other(server: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.stalls, server.pause = [50_000], 0.3
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(fetch(f"{server.address}/a.bin", tmp_path / "a.bin", MD5)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in paths] == [CONTENT] * 3
    assert len(server.asked) == 2  # one download that stalled once


def test_differences_are_told_in_as_many_digits_as_are_known(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    assert difference(tmp_path / "a", "") == difference(tmp_path / "a", MD5) == ""
    assert difference(tmp_path / "a", "md5:ffff") == f"md5 {MD5[4:8]}... instead of ffff..."
