"""Archives are read without unpacking, and damaged ones are told."""

import tarfile
from collections import Counter
from pathlib import Path

import pytest

from multicnn.data import archive as archive_page
from multicnn.data.layout import open_dataset
from multicnn.errors import UsageError
from tests.data.making import SHARED, pack, picture

CLASSES: dict[str, bytes | str] = {
    "cat/2.png": picture(2),
    "cat/10.PNG": picture(10),
    "dog/deep/1.jpg": picture(1, format_="JPEG"),
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.xz", "w:xz"), ("a.tar", "w:gz")],
)
def test_archives_are_like_folders(tmp_path: Path, name: str, mode: str) -> None:
    archive = pack(
        tmp_path / name, {f"./set/{n}": c for n, c in CLASSES.items()} | {"__MACOSX/set/._2.png": b"x"}, mode
    )
    data = open_dataset(str(archive), "image")
    assert [(e.name, e.label) for e in data.examples] == [
        ("set/cat/2.png", "cat"),
        ("set/cat/10.PNG", "cat"),
        ("set/dog/deep/1.jpg", "dog"),
    ]
    assert [e.load() for e in data.examples] == list(CLASSES.values())


def test_several_archives_and_the_parts_that_they_name(tmp_path: Path) -> None:
    one = pack(tmp_path / "birds-train-0.tar", {"cat/1.png": b"a", "dog/2.png": b"b"})
    two = pack(tmp_path / "birds-train-1.tar", {"cat/3.png": b"c"})
    three = pack(tmp_path / "birds-val-0.tar.gz", {"cat/1.png": b"d"}, "w:gz")
    data = open_dataset(f"{one},{two},{three}", "image")
    assert Counter((e.label, e.split) for e in data.examples) == {
        ("cat", "train"): 2,
        ("dog", "train"): 1,
        ("cat", "validation"): 1,
    }


def test_two_archives_with_the_same_member_are_refused(tmp_path: Path) -> None:
    one, two = (pack(tmp_path / f"{n}.tar", {"cat/1.png": n}) for n in "ab")
    with pytest.raises(UsageError, match=r"an earlier archive holds cat/1\.png too"):
        open_dataset(f"{one},{two}", "image")


def test_hard_and_symbolic_links_in_an_archive(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.tar", {"cat/1.png": b"abc", "dog/9.png": b"d"})
    with tarfile.open(archive, "a") as tar:
        for name, kind, target in (
            ("cat/2.png", tarfile.LNKTYPE, "cat/1.png"),
            ("dog/3.png", tarfile.SYMTYPE, "../cat/2.png"),
            ("dog/4.png", tarfile.SYMTYPE, "gone.png"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
    data = open_dataset(str(archive), "image")
    assert {e.name: e.load() for e in data.examples} == {
        "cat/1.png": b"abc",
        "cat/2.png": b"abc",
        "dog/3.png": b"abc",
        "dog/9.png": b"d",
    }
    assert "dog/4.png" in data.notes[0]


@pytest.fixture
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for caches, in which all that is decompressed is kept."""
    monkeypatch.setenv("MULTICNN_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("MULTICNN_CACHE_LIMIT", "1")
    monkeypatch.setattr(archive_page, "WORTH", 0)
    return tmp_path / "ours" / "archives"


def contents(archive: Path) -> dict[str, object]:
    """What a process that begins now reads."""
    archive_page._plain_tar.cache_clear()
    return {example.name: example.load() for example in open_dataset(str(archive), "image").examples}


def test_the_second_time_nothing_is_decompressed(
    tmp_path: Path, kept_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = pack(tmp_path / "a.tar.xz", CLASSES, "w:xz")
    first = contents(archive)
    (folder,) = kept_in.iterdir()
    assert f"a.tar.xz is kept without its compression in {folder}" in capsys.readouterr().err
    monkeypatch.setattr(archive_page.shutil, "copyfileobj", lambda *_: pytest.fail("it was decompressed again"))
    monkeypatch.setattr(archive_page, "_index", lambda _: pytest.fail("it was listed again"))
    moved = archive.rename(tmp_path / "moved.tar.xz")
    assert contents(moved) == first == CLASSES
    assert capsys.readouterr().err == ""


def test_another_content_and_a_damaged_copy_do_not_count(tmp_path: Path, kept_in: Path) -> None:
    archive = pack(tmp_path / "a.tar.gz", {"cat/1.png": b"one"}, "w:gz")
    assert contents(archive) == {"cat/1.png": b"one"}
    (plain,) = kept_in.glob("*/plain.tar")
    for damaged, content in ((plain, plain.read_bytes()[:700]), (plain.with_name("listing.json"), b"{}")):
        damaged.write_bytes(content)
        assert contents(archive) == {"cat/1.png": b"one"}
    pack(archive, {"cat/1.png": b"two"}, "w:gz")
    assert contents(archive) == {"cat/1.png": b"two"}


@pytest.mark.parametrize("reason", ["limit", "no folder", "quick"])
def test_what_is_not_kept_is_read_all_the_same(
    reason: str, tmp_path: Path, kept_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if reason == "limit":
        monkeypatch.setenv("MULTICNN_CACHE_LIMIT", "0")
    elif reason == "quick":
        monkeypatch.setattr(archive_page, "WORTH", 60)
    else:
        (tmp_path / "ours").write_text("in the way")
    assert contents(pack(tmp_path / "a.tar.gz", CLASSES, "w:gz")) == CLASSES
    assert not kept_in.is_dir() or not any(kept_in.iterdir())
    assert ("is not kept for the next time" in capsys.readouterr().err) == (reason == "no folder")


@pytest.mark.parametrize("cut", [1000, 1536 * 2])
def test_a_truncated_archive_is_refused(tmp_path: Path, cut: int) -> None:
    archive = pack(tmp_path / "a.tar", {f"cat/{i}.png": bytes([i]) * 600 for i in range(8)})
    damaged = archive.read_bytes()
    archive.write_bytes(damaged[:cut] if cut == 1000 else damaged[:cut] + b"\xaa" * 512 + damaged[cut + 512 :])
    with pytest.raises(UsageError, match="damaged"):
        open_dataset(str(archive), "image")


def test_cifar10_is_read_without_unpacking() -> None:
    archive = SHARED / "image" / "cifar10.tar.xz"
    if not archive.exists():
        pytest.skip("shared/data is not here")
    data = open_dataset(str(archive), "image")
    assert Counter(e.split for e in data.examples) == {"train": 50_000, "test": 10_000}
    assert len(data.labels) == 10
    content = data.examples[-1].load()
    assert isinstance(content, bytes)
    assert content[:3] == b"\xff\xd8\xff"
