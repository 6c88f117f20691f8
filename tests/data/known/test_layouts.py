"""Every known data set from a small copy that is laid out as the real one."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from data.known.copies import COPIES, make_copy
from data.making import SHARED, write
from PIL import Image

from multicnn.data.blob import Blob
from multicnn.data.example import Example
from multicnn.data.get import get
from multicnn.data.known.gtzan import filtered_parts, repetitions
from multicnn.data.known.table import KNOWN
from multicnn.data.layout import open_dataset
from multicnn.data.request import Columns
from multicnn.errors import MulticnnError, UsageError

Row = tuple[str, str | None, str | None]


@pytest.fixture(autouse=True)
def counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many examples are expected as the copies have."""
    for name, (_, _, count) in COPIES.items():
        monkeypatch.setitem(KNOWN, name, replace(KNOWN[name], count=count))


def examples(name: str, tmp_path: Path, columns: Columns = Columns()) -> list[Example]:
    """What our reader finds in what is made of a copy."""
    result, whole = get(name, tmp_path / name, make_copy(name, tmp_path / "copy"))
    assert whole
    data = open_dataset(str(result), KNOWN[name].kind, columns=columns)
    assert data.troubles == []
    return data.examples


def content(example: Example) -> str:
    """The text, or what stands in the copy's file in place of a sound."""
    loaded = example.load()
    return loaded if isinstance(loaded, str) else loaded.decode()


def rows(found: list[Example], role: str) -> set[Row]:
    return {(content(one), one.label, getattr(one, role)) for one in found}


def test_every_known_data_set_has_a_copy_here() -> None:
    assert list(COPIES) == list(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_packed_and_unpacked_copies_give_the_same(name: str, tmp_path: Path) -> None:
    packed = examples(name, tmp_path)
    assert len(packed) == COPIES[name][2]
    result, _ = get(name, tmp_path / "other", write(tmp_path / "unpacked", COPIES[name][0]))
    unpacked = open_dataset(str(result), KNOWN[name].kind).examples
    assert [(one.label, one.split, one.fold, one.load()) for one in packed] == [
        (one.label, one.split, one.fold, one.load()) for one in unpacked
    ]


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_can_be_checked_by_people(name: str) -> None:
    known = KNOWN[name]
    assert known.name == name
    for remote in known.remotes:
        assert remote.source
        algorithm, _, digits = remote.checksum.partition(":")
        assert len(digits) == {"md5": 32, "sha256": 64, "": 0}[algorithm]
        assert set(digits) <= set("0123456789abcdef")
        assert known.wanted.search(remote.file) or remote.file.endswith((".zip", ".tar.gz"))


def test_esc50_has_its_folds_and_its_recordings(tmp_path: Path) -> None:
    found = examples("esc50", tmp_path, Columns(group="source"))
    assert rows(found, "fold") == {("dog 1", "dog", "1"), ("bird", "chirping_birds", "1"), ("dog 2", "dog", "2")}
    assert {one.group for one in found} == {"100032", "100038", "5"}


def test_esc10_is_the_part_of_esc50_that_is_marked(tmp_path: Path) -> None:
    get("esc50", tmp_path / "esc50", make_copy("esc50", tmp_path / "copy"))
    result, whole = get("esc10", tmp_path / "esc10", tmp_path / "esc50")
    assert whole
    assert [path.name for path in (tmp_path / "esc10").iterdir()] == ["esc10.csv"]  # the sounds stay where they are
    assert rows(open_dataset(str(result), "audio").examples, "fold") == {("dog 1", "dog", "1"), ("dog 2", "dog", "2")}


def test_urbansound8k_has_its_folds_and_its_recordings(tmp_path: Path) -> None:
    found = examples("urbansound8k", tmp_path, Columns(group="source"))
    assert rows(found, "fold") == {("bark", "dog_bark", "5"), ("shot", "gun_shot", "10")}
    assert rows(found, "group") == {("bark", "dog_bark", "100032"), ("shot", "gun_shot", "7061")}


def test_gtzan_names_what_repeats_what(tmp_path: Path) -> None:
    pieces = {content(one): one.group for one in examples("gtzan", tmp_path, Columns(group="piece"))}
    assert pieces["disco 50"] == pieces["disco 51"] == pieces["disco 70"] == "disco.00050"
    assert pieces["rock 16"] == pieces["metal 58"] == "metal.00058"
    assert pieces["rock 99"] == "rock.00099"


def test_gtzan_without_faults_has_parts(tmp_path: Path) -> None:
    assert rows(examples("gtzan_filtered", tmp_path), "split") == {
        *(("blues 12", "blues", "test"), ("rock 16", "rock", "train"), ("rock 99", "rock", "train")),
        *(("disco 70", "disco", "train"), ("jazz 25", "jazz", "validation")),
    }


def test_the_division_of_gtzan_is_that_of_torchaudio_and_has_no_piece_twice() -> None:
    published = pytest.importorskip("torchaudio.datasets.gtzan")
    ours = filtered_parts()
    for part, theirs in (
        ("train", published.filtered_train),
        ("validation", published.filtered_valid),
        ("test", published.filtered_test),
    ):
        assert sorted(name for name, its in ours.items() if its == part) == sorted(theirs)
    copies = repetitions()
    assert len(copies) == 50  # as Sturm counts
    pieces = [copies.get(name, name) for name in ours]
    assert len(pieces) == len(set(pieces)) == 930


def test_speech_commands_has_parts_and_speakers(tmp_path: Path) -> None:
    found = examples("speechcommands", tmp_path, Columns(group="speaker"))
    assert rows(found, "split") == {
        *(("bed", "bed", "validation"), ("cat", "cat", "test"), ("another cat", "cat", "train")),
    }
    assert {one.group for one in found} == {"0a0b", "ffff", "1234"}


def test_the_first_five_of_fsdd_are_the_test_part(tmp_path: Path) -> None:
    found = examples("fsdd", tmp_path, Columns(group="speaker"))
    assert {(content(one), one.split) for one in found if one.label == "7" and one.group == "lucas"} == {
        *(("7 lucas 4", "test"), ("7 lucas 5", "train"), ("7 lucas 10", "train")),
    }


@pytest.mark.skipif(not (SHARED / "audio/fsdd.tar.xz").exists(), reason="the shared data are not here")
def test_the_real_fsdd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KNOWN, "fsdd", replace(KNOWN["fsdd"], count=3000))
    result, whole = get("fsdd", tmp_path, SHARED / "audio/fsdd.tar.xz")
    found = open_dataset(str(result), "audio").examples
    assert whole
    assert sum(one.split == "test" for one in found) == 300


def pixels(example: Example) -> np.ndarray:
    assert isinstance(example.content, Blob)
    return np.asarray(Image.open(BytesIO(example.content.read())))


@pytest.mark.parametrize(("name", "second"), [("cifar10", "automobile"), ("cifar100", "aquarium_fish")])
def test_cifar_becomes_pictures(tmp_path: Path, name: str, second: str) -> None:
    found = examples(name, tmp_path)
    (tested,) = [one for one in found if one.split == "test"]
    assert tested.label == second
    assert pixels(tested).shape == (32, 32, 3)
    assert (pixels(tested) == [1, 2, 3]).all()
    assert all((pixels(one)[0, 0, 0] == 2) == (one.label == second) for one in found if one.split == "train")


@pytest.mark.parametrize(("name", "labels"), [("mnist", "012"), ("fashion_mnist", None)])
def test_mnist_becomes_pictures(tmp_path: Path, name: str, labels: str | None) -> None:
    found = examples(name, tmp_path)
    assert {str(one.label) for one in found} == set(labels or ("T-shirt or top", "Trouser", "Pullover"))
    assert [(pixels(one).shape, int(pixels(one)[3, 3])) for one in found if one.split == "test"] == [((28, 28), 2)] * 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "mr",
            {
                ("the rock is destined .", "positive", None),
                ("crème brûlée , and\x85so on .", "positive", None),
                ("simplistic , silly and tedious .", "negative", None),
            },
        ),
        (
            "subj",
            {
                ("smart and alert , thirteen conversations is a small gem .", "subjective", None),
                ("the movie begins in the past .", "objective", None),
                ("emerging from the human psyche .", "objective", None),
            },
        ),
        (
            "sst2",
            {
                ("The Rock is destined .", "positive", "train"),
                ("( bad )", "negative", "validation"),
                ("either/or dull", "negative", "test"),
                ("Good .", "positive", "test"),
            },
        ),
        (
            "trec",
            {
                ("How did serfdom develop ?", "DESC", "train"),
                ("Where is Bogotá ?", "LOC", "train"),
                ("How far is it from Denver to Aspen ?", "NUM", "test"),
            },
        ),
        (
            "imdb",
            {
                ("Late, and <br /> good", "positive", "train"),
                ("Great", "positive", "train"),
                ("Awful", "negative", "train"),
                ("Dull", "negative", "test"),
            },
        ),
    ],
)
def test_texts_have_their_labels_and_parts(tmp_path: Path, name: str, expected: set[Row]) -> None:
    assert rows(examples(name, tmp_path), "split") == expected
    assert [path.name for path in (tmp_path / name).iterdir()] == [f"{name}.csv"]


def test_a_copy_that_lacks_examples_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "copy", {n: c for n, c in COPIES["esc50"][0].items() if "2-5-B" not in n})
    result, whole = get("esc50", tmp_path / "out", folder)
    assert not whole
    assert len(open_dataset(str(result), "audio").examples) == 2
    assert "2 examples instead of 3" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "files", "told"),
    [
        ("esc50", {"a.txt": "b"}, r"this is not esc50 as it was published \(none of its files is there\)"),
        ("esc50", {"audio/1.wav": b"b"}, r"\('meta/esc50.csv' is not there\)"),
        ("esc50", {"meta/esc50.csv": "a,b\n1,2\n"}, r"\('esc10' is not there\)"),
        ("cifar10", {**COPIES["cifar10"][0], "cifar-10-batches-bin/test_batch.bin": b"short"}, "this is not cifar10"),
        ("mnist", {**COPIES["mnist"][0], "t10k-labels-idx1-ubyte.gz": b"no"}, "is no IDX file of bytes"),
        ("trec", {"train_5500.label": "one\n", "TREC_10.label": "two\n"}, "this is not trec"),
    ],
)
def test_something_else_is_no_copy(tmp_path: Path, name: str, files: dict[str, bytes | str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        get(name, tmp_path / "out", write(tmp_path / "copy", files))
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    result, _ = get("mr", tmp_path, make_copy("mr", tmp_path / "copy"))
    result.write_text("mine")
    assert get("mr", tmp_path) == (result, True)
    assert result.read_text() == "mine"
    get("mr", tmp_path, tmp_path / "copy", overwrite=True)
    assert result.read_text() != "mine"


def test_a_file_put_there_by_hand_is_used_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICNN_OFFLINE", "1")
    make_copy("mr", tmp_path / "mr")
    _, whole = get("mr", tmp_path / "mr")
    assert whole
    assert sorted(path.name for path in (tmp_path / "mr").iterdir()) == ["mr.csv", "rt-polaritydata.tar.gz"]


def test_a_file_put_there_by_hand_must_be_the_published_one(tmp_path: Path) -> None:
    make_copy("trec", tmp_path)
    with pytest.raises(MulticnnError, match=r"train_5500.label has the md5 \w{32}\.\.\. instead of 0734.*remove it"):
        get("trec", tmp_path)


def test_a_copy_that_is_not_the_published_file_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    get("trec", tmp_path / "out", make_copy("trec", tmp_path / "copy"))
    told = capfd.readouterr().err
    assert "TREC_10.label has the md5" in told
    assert "it is not the published file, and is taken as it is" in told
