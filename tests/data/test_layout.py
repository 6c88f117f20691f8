"""Every form of data set that DESIGN.md names gives the same examples."""

from collections import Counter
from pathlib import Path

import pytest

from multicnn.data.examples import DataSet
from multicnn.data.layout import Columns, open_dataset
from multicnn.errors import UsageError
from tests.data.making import SHARED, pack, picture, write

CLASSES: dict[str, bytes | str] = {
    "cat/2.png": picture(2),
    "cat/10.PNG": picture(10),
    "dog/deep/1.jpg": picture(1, format_="JPEG"),
}


def rows(data: DataSet) -> list[tuple[str, str | None, str | None]]:
    return [(e.name, e.label, e.split) for e in data.examples]


def test_folder_of_classes_in_natural_order(tmp_path: Path) -> None:
    data = open_dataset(str(write(tmp_path, CLASSES)), "image")
    assert rows(data) == [("cat/2.png", "cat", None), ("cat/10.PNG", "cat", None), ("dog/deep/1.jpg", "dog", None)]
    assert [e.load() for e in data.examples] == list(CLASSES.values())
    assert (data.troubles, data.notes) == ([], [])


@pytest.mark.parametrize("wrap", ["", "outer/", "outer/inner/"])
def test_wrapping_folders_are_looked_through(tmp_path: Path, wrap: str) -> None:
    data = open_dataset(str(write(tmp_path, {wrap + name: content for name, content in CLASSES.items()})), "image")
    assert data.labels == ["cat", "dog"]
    assert data.examples[0].name == wrap + "cat/2.png"


@pytest.mark.parametrize(
    ("folder", "part"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("val", "validation"),
        ("valid", "validation"),
        ("validation", "validation"),
        ("DEV", "validation"),
        ("eval", "validation"),
        ("Test", "test"),
        ("testing", "test"),
    ],
)
def test_part_folders(tmp_path: Path, folder: str, part: str) -> None:
    data = open_dataset(str(write(tmp_path, {f"w/{folder}/{name}": c for name, c in CLASSES.items()})), "image")
    assert {e.split for e in data.examples} == {part}
    assert data.labels == ["cat", "dog"]


def test_two_folders_for_one_part_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"val/a/1.png": b"x", "dev/a/1.png": b"x", "train/a/1.png": b"x"})
    with pytest.raises(UsageError, match="both mean the validation part"):
        open_dataset(str(tmp_path), "image")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    data = open_dataset(str(write(tmp_path, {"train/1.png": b"x", "bus/1.png": b"y", "test/1.png": b"z"})), "image")
    assert data.labels == ["bus", "test", "train"]
    assert {e.split for e in data.examples} == {None}


def test_webdataset_names(tmp_path: Path) -> None:
    archive = pack(
        tmp_path / "shard.tar",
        {
            "000.jpg": b"a",
            "000.cls": "007\n",
            "001.png": b"b",
            "001.json": '{"label": 3, "who": 1}',
            "002.png": b"c",
            "003.png": b"d",
            "003.json": "{",
        },
    )
    data = open_dataset(str(archive), "image")
    assert [(e.name, e.label) for e in data.examples] == [("000.jpg", "007"), ("001.png", "3")]
    assert [t.name for t in data.troubles] == ["002.png", "003.png"]
    assert data.notes == []


def test_a_folder_with_one_manifest_is_that_manifest(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"images/1.png": b"a", "images/2.png": b"b", "labels.csv": "file,class\nimages/1.png,x\nimages/2.png,y\n"},
    )
    assert rows(open_dataset(str(tmp_path), "image")) == [("images/1.png", "x", None), ("images/2.png", "y", None)]


def test_a_table_that_fits_nothing_leaves_class_folders_as_they_are(tmp_path: Path) -> None:
    data = open_dataset(str(write(tmp_path, CLASSES | {"about.csv": "name,licence\ncat,CC0\n"})), "image")
    assert data.labels == ["cat", "dog"]
    assert "about.csv was passed over" in data.notes[0]


def test_several_manifests_without_part_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "text,label\nx,y\n", "b.csv": "text,label\nx,y\n"})
    with pytest.raises(UsageError, match=r"several manifests \(a\.csv, b\.csv\)"):
        open_dataset(str(tmp_path), "text")


@pytest.mark.parametrize("archived", [False, True])
def test_part_manifests_and_paths_from_their_folder(tmp_path: Path, archived: bool) -> None:
    files: dict[str, bytes | str] = {
        "set/train.csv": "path,label\npics/1.png,a\n",
        "set/Dev.tsv": "path\tlabel\npics/2.png\tb\n",
        "set/test.jsonl": '{"path": "pics/3.png", "label": 7}\n',
        "set/pics/1.png": b"1",
        "set/pics/2.png": b"2",
        "set/pics/3.png": b"3",
    }
    where = pack(tmp_path / "a.tar.xz", files, "w:xz") if archived else write(tmp_path / "d", files)
    data = open_dataset(str(where), "image")
    assert {(e.load(), e.label, e.split) for e in data.examples} == {
        (b"1", "a", "train"),
        (b"2", "b", "validation"),
        (b"3", "7", "test"),
    }


def test_manifest_with_its_files_in_an_archive(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("path,label\nr/1.wav,a\nr/2.wav,b\nr/3.wav,b\n")
    archive = pack(tmp_path / "files.tar.gz", {"fsdd/r/1.wav": b"1", "fsdd/r/2.wav": b"2"}, "w:gz")
    data = open_dataset(str(manifest), "audio", root=str(archive))
    assert [(e.name, e.load()) for e in data.examples] == [("fsdd/r/1.wav", b"1"), ("fsdd/r/2.wav", b"2")]
    assert [t.name for t in data.troubles] == ["r/3.wav"]


def test_root_may_be_a_folder(tmp_path: Path) -> None:
    write(tmp_path, {"m/list.csv": "path,label\n1.wav,a\n", "files/1.wav": b"1"})
    data = open_dataset(str(tmp_path / "m/list.csv"), "audio", root=str(tmp_path / "files"))
    assert data.examples[0].load() == b"1"


def test_texts_in_folders(tmp_path: Path) -> None:
    write(tmp_path, {"pos/1.txt": "\ufeffgood\n", "pos/2.txt": b"caf\xe9", "neg/1.txt": "bad", "README.txt": "hello"})
    data = open_dataset(str(tmp_path), "text")
    assert [(e.name, e.content, e.label) for e in data.examples] == [
        ("neg/1.txt", "bad", "neg"),
        ("pos/1.txt", "good\n", "pos"),
    ]
    assert [str(t) for t in data.troubles] == ["pos/2.txt: byte 0xE9 at position 4 is no UTF-8; save the file as UTF-8"]
    assert data.notes == ["1 file in no class folder passed over: README.txt"]


def test_the_layout_of_imdb(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "aclImdb/imdbEr.txt": "0.1",
        "aclImdb/imdb.vocab": "a",
        "aclImdb/train/urls_pos.txt": "u",
    }
    for part in ("train", "test"):
        files |= {f"aclImdb/{part}/{label}/0_1.txt": f"{part} {label}" for label in ("pos", "neg")}
    data = open_dataset(str(write(tmp_path, files)), "text")
    assert {(e.content, e.label, e.split) for e in data.examples} == {
        (f"{part} {label}", label, part) for part in ("train", "test") for label in ("pos", "neg")
    }
    assert len(data.notes) == 3


def test_fasttext(tmp_path: Path) -> None:
    train = "__label__a some words\r\n__label__b\tno  more\n\n__label__a __label__b two\nnone\n"
    write(tmp_path, {"train.txt": train, "test.txt": "__label__a x\n"})
    data = open_dataset(str(tmp_path), "text")
    assert [(e.name, e.content, e.label, e.split) for e in data.examples] == [
        ("test.txt:1", "x", "a", "test"),
        ("train.txt:1", "some words", "a", "train"),
        ("train.txt:2", "no  more", "b", "train"),
    ]
    assert [t.name for t in data.troubles] == ["train.txt:4", "train.txt:5"]
    alone = open_dataset(str(tmp_path / "train.txt"), "text")
    assert {e.split for e in alone.examples} == {None}


def test_other_files_are_noted_once_and_hidden_ones_never(tmp_path: Path) -> None:
    strangers = {"cat/Thumbs.db": b"", "dog/a.txt": b"", "cat/b.txt": b"", ".git/x": b"", "cat/.DS_Store": b""}
    data = open_dataset(str(write(tmp_path, CLASSES | strangers)), "image")
    assert data.notes == ["3 files with other endings were passed over: .db, .txt"]


def test_links_to_folders_are_followed_but_not_round_in_circles(tmp_path: Path) -> None:
    write(tmp_path, {"store/1.png": b"a", "set/dog/1.png": b"b"})
    (tmp_path / "set/cat").symlink_to(tmp_path / "store")
    (tmp_path / "set/dog/again").symlink_to(tmp_path / "set")
    (tmp_path / "set/dog/lost.png").symlink_to(tmp_path / "nowhere.png")
    data = open_dataset(str(tmp_path / "set"), "image")
    assert ("cat/1.png", "cat", None) in rows(data)
    assert len(data.examples) < 10


def test_without_labels_everything_counts(tmp_path: Path) -> None:
    write(tmp_path, {"1.png": b"a", "sub/2.png": b"b"})
    data = open_dataset(str(tmp_path), "image", labelled=False)
    assert [e.name for e in data.examples] == ["1.png", "sub/2.png"]


def test_columns_and_root_without_a_manifest_are_refused(tmp_path: Path) -> None:
    write(tmp_path, CLASSES)
    with pytest.raises(UsageError, match="the label column x has no effect"):
        open_dataset(str(tmp_path), "image", columns=Columns(label="x"))
    with pytest.raises(UsageError, match="has no effect"):
        open_dataset(str(tmp_path), "image", root=str(tmp_path))


@pytest.mark.parametrize(
    ("files", "name", "message"),
    [
        ({}, "", "no pictures with labels found"),
        ({"a.png": b"x"}, "", "1 file in no class folder passed over: a.png"),
        ({"train/a.png": b"x", "test/b.png": b"x"}, "", "1 file of train in no class folder"),
        ({"a/notes.doc": b"x"}, "", "other endings was passed over: .doc"),
        ({"a.zip": b"x"}, "a.zip", "neither a folder nor a manifest"),
        ({"cats/1.png": b"x"}, "cat", "did you mean cats"),
        ({"a.tar": b"x" * 2000}, "a.tar", "damaged or no tar archive"),
        ({"a.tar.xz": b"\xfd7zXZ\0garbage"}, "a.tar.xz", "damaged or no tar archive"),
        (
            {"m.csv": "path,label\nx.png,a\n"},
            "m.csv",
            "none of its 1 examples can be used; x.png: there is no such file",
        ),
    ],
)
def test_a_wrong_layout_says_what_was_looked_for(
    tmp_path: Path, files: dict[str, bytes | str], name: str, message: str
) -> None:
    write(tmp_path, files)
    with pytest.raises(UsageError) as caught:
        open_dataset(str(tmp_path / name), "image")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("text/trec", {"train": 5452, "test": 500}),
        ("text/sst2", {"train": 6920, "validation": 872, "test": 1821}),
        ("text/mr/mr.csv", {None: 10_662}),
    ],
)
def test_real_manifests(path: str, counts: dict[str | None, int]) -> None:
    if not (SHARED / path).exists():
        pytest.skip("shared/data is not here")
    data = open_dataset(str(SHARED / path), "text")
    assert Counter(e.split for e in data.examples) == counts
    assert not data.troubles
