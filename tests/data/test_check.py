"""`data check` names everything that is wrong with a data set; `data split` divides one."""

import io
import json
import math
import os
import struct
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multicnn.cli.data import app
from multicnn.data.layout import open_dataset
from multicnn.errors import UsageError
from tests.data.making import SHARED, pack, picture, write


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.stdout


def found(data: object, *options: str, status: int = 0) -> dict[tuple[str, str], list[str]]:
    """(status, message) of every finding, and the items that it names."""
    report = json.loads(run("check", data, "--json", *options, status=status))
    return {(f["status"], f["message"]): f["items"] for s in report["sections"] for f in s["findings"]}


def sound(seconds: float = 0.2, rate: int = 8000, peak: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        levels = (int(32767 * peak * math.sin(i)) for i in range(int(seconds * rate)))
        file.writeframes(b"".join(struct.pack("<h", level) for level in levels))
    return buffer.getvalue()


def test_pictures(tmp_path: Path) -> None:
    good = {f"train/{label}/{i}.png": picture(i + 100 * (label == "b")) for label in "ab" for i in range(12)}
    write(
        tmp_path,
        good
        | {
            "train/a/cut.png": picture(50)[:-30],
            "train/a/empty.png": b"",
            "train/b/not.png": b"hello",
            "train/b/wrong.png": picture(60, format_="JPEG"),
            "train/b/long.png": picture(61, (80, 9)),
            "train/a/tiny.png": picture(62, (4, 4)),
            "train/a/again.png": picture(3),
            "train/b/torn.png": picture(4),
            "test/a/leak.png": picture(5),
            "train/a/Thumbs.db": b"",
        },
    )
    seen = found(tmp_path, status=3)
    (broken,) = [items for (status, _), items in seen.items() if status == "broken"]
    assert sorted(item.split(":")[0] for item in broken) == ["train/a/cut.png", "train/a/empty.png", "train/b/not.png"]
    warnings = {message: items for (status, message), items in seen.items() if status == "warning"}
    assert warnings["1 file with the ending of another format"] == ["train/b/wrong.png is JPEG"]
    assert warnings["1 picture with fewer than 8 pixels on a side"] == ["train/a/tiny.png: 4 x 4"]
    assert warnings["the same content with different labels, 1 time"] == ["train/a/4.png (a) = train/b/torn.png (b)"]
    assert "1 file with other endings was passed over: .db" in warnings
    assert ["test/a/leak.png (test) = train/a/5.png (train)"] in warnings.values()
    assert ["train/a/3.png = train/a/again.png"] in warnings.values()
    assert ["b"] in warnings.values()  # no test example
    text = run("check", tmp_path, status=3)
    assert "✘ 3 files cannot be read" in text
    assert "✔ parts: train" in text


def test_a_good_data_set_has_status_0(tmp_path: Path) -> None:
    write(tmp_path, {f"{label}/{i}.png": picture(i + 100 * (label == "b")) for label in "ab" for i in range(12)})
    assert {status for status, _ in found(tmp_path)} == {"ok"}


def test_one_class_is_broken(tmp_path: Path) -> None:
    write(tmp_path, {f"a/{i}.png": picture(i) for i in range(3)})
    assert ("broken", "a classifier needs at least two classes") in found(tmp_path, status=3)


def test_sounds(tmp_path: Path) -> None:
    write(
        tmp_path,
        {f"{label}/{i}.wav": sound(0.2 + i / 100 + (label == "b") / 3) for label in "ab" for i in range(10)}
        | {"a/silent.wav": sound(peak=0), "a/fast.wav": sound(rate=16000), "a/cut.wav": sound()[:30]}
        | {"b/short.wav": sound(0.01), "b/loud.wav": sound(peak=1.6 / 1.6), "b/long.wav": sound(9)},
    )
    seen = found(tmp_path, status=3)
    named = {message: items for (_, message), items in seen.items()}
    assert [item.split(":")[0] for item in named["1 file cannot be read"]] == ["a/cut.wav"]
    assert named["1 sound silent (never above -60 dB)"] == ["a/silent.wav"]
    assert [item.split(":")[0] for item in named["1 sound shorter than 0.05 s"]] == ["b/short.wav"]
    assert any("several sample rates" in message for message in named)
    assert any("10 times as long as the median" in message for message in named)


def test_texts(tmp_path: Path) -> None:
    lines = [f"some words {i},{label}" for label in ("pos", "neg", "Pos") for i in range(10 if label != "Pos" else 3)]
    manifest = tmp_path / "m.csv"
    manifest.write_text("\n".join(["text,label", *lines, ",pos", "one,neg", "word " * 500 + ",pos", "a,b,c"]) + "\n")
    seen = found(manifest, status=3)
    named = {message: items for (_, message), items in seen.items()}
    assert named["1 text without a word"] == ["m.csv:24"]
    assert named["1 text of a single word"] == ["m.csv:25"]
    assert named["1 example cannot be used"] == ["m.csv:27: 3 fields, but 2 columns in the header"]
    assert named["labels that differ only in case or white space"] == ["'Pos' and 'pos'"]
    assert named["1 class with fewer than 10 training examples"] == ["Pos: 3"]


def tagged(*sentences: str) -> str:
    """Lines of columns, from sentences such as `Ada/B-PER went/O`."""
    return "\n\n".join(one.replace(" ", "\n").replace("/", " ") for one in sentences)


def test_tagged_words(tmp_path: Path) -> None:
    many = [f"Ada{i}/B-PER went/O to/O Rome/B-LOC" for i in range(12)]
    odd = ["So/O Bea/I-PER slept/O", "Rome/B-LOC Cem/I-PER", "Dov/X", "Eva/B-PER ./O", "Eva/O ./O"]
    files = {
        "train.conll": tagged(*many, *odd),
        "dev.conll": tagged("Fay/B-PER left/O", "Oslo/B-ORG"),
        "test.conll": tagged(many[3], many[3]),
    }
    seen = found(write(tmp_path, files), status=3)
    assert ("ok", "68 words in 4 tags") in seen
    assert ("ok", "20 sentences of 1 to 4 words") in seen
    assert ("ok", "spans in training: PER 15, LOC 13") in seen
    broken = {message: items for (status, message), items in seen.items() if status == "broken"}
    assert broken == {
        "1 sentence cannot be used": ["train.conll:68: tags are O, or B- or I- and a type, not 'X'"],
        "1 type without a span in training": ["ORG"],
    }
    warned = {message: items for (status, message), items in seen.items() if status == "warning"}
    assert warned["2 spans that a tag in its middle begins; each is read as if B- stood there"] == [
        "train.conll:62: I-PER",
        "train.conll:66: I-PER",
    ]
    assert warned["1 type without a span in the test part"] == ["ORG"]
    assert warned["the same content with different labels, 1 time"] == [
        "train.conll:70 (B-PER O) = train.conll:73 (O O)"
    ]
    (across,) = warned["the same content in different parts, 1 time; figures on them are too good"]
    assert across == "test.conll:1 (test) = test.conll:6 (test) = train.conll:16 (train)"


def test_spans_of_iob1_begin_with_i(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.conll": tagged("Ada/I-PER Bea/B-PER saw/O Rome/I-LOC")}) / "a.conll"
    assert not any("begins" in message for _, message in found(path))


def test_vectors_of_tagged_words(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("at&t 0.1 0.2\ncalls 0.3 0.4\n")
    (tmp_path / "a.conll").write_text(tagged("AT&T/B-ORG calls/O", "AT&T/B-ORG waits/O"))
    assert found(tmp_path / "a.conll", "--vectors", str(tmp_path / "v.txt"))[
        ("warning", "1 word without a vector")
    ] == ["waits (1 times)"]


def test_tagged_words_are_neither_drawn_nor_listed(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.conll": tagged(*(f"Ada{i}/B-PER went/O" for i in range(20)))}) / "a.conll"
    with pytest.raises(UsageError, match="words cannot be drawn; data show is for"):
        run("show", path, "-o", tmp_path / "page.png")
    with pytest.raises(UsageError, match="which no manifest names; divide it into train, dev and test files"):
        run("split", path, "-o", tmp_path / "a.csv", "--val", 0.1)


@pytest.mark.parametrize(
    ("name", "kind"), [("sample:digits", "image"), ("sample:tones", "audio"), ("sample:docstrings", "text")]
)
def test_samples_are_clean(name: str, kind: str) -> None:
    report = json.loads(run("check", name, "--json"))
    assert report["kind"] == kind
    assert not report["broken"]


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"a/1.jpg": b"", "a/2.jpg": b"", "b/3.wav": b""}, "image"),
        ({"a/1.wav": b"", "note.txt": b""}, "audio"),
        ({"a/1.txt": b""}, "text"),
        ({"m.csv": "file,label\nx.flac,a\n"}, "audio"),
        ({"m.csv": "path,class\nx.png,a\n"}, "image"),
        ({"m.csv": "text,class\nx.png,a\n"}, "text"),
        ({"train.txt": "__label__a b"}, "text"),
        ({"dev.txt": "Vitamin B-12\nis good .\n"}, "text"),
        ({"train.txt": "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n", "test.txt": ""}, "tokens"),
        ({"a.conll": "EU\nrejects\n"}, "tokens"),
    ],
)
def test_the_kind_is_told_by_the_data(tmp_path: Path, files: dict[str, bytes | str], kind: str) -> None:
    from multicnn.data.kind import guess_kind

    assert guess_kind(str(write(tmp_path, files))) == kind
    if len(files) == 1 and "/" not in next(iter(files)):
        assert guess_kind(str(tmp_path / next(iter(files)))) == kind


def test_a_manifest_without_the_columns_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("words,label\na,b\n")
    with pytest.raises(UsageError, match=r"no column text, sentence, path, .*its columns are: words, label"):
        run("check", tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("path,label\na.xyz,b\n")
    with pytest.raises(UsageError, match="say it with --kind"):
        run("check", tmp_path / "m.csv")


def test_a_name_that_is_no_utf8_cannot_stand_in_a_manifest(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    write(tmp_path / "set", {f"{label}/{i}{name}": picture(i) for label in "ab" for i in range(4)})
    assert ("ok", "readable: 8 PNG") in found(tmp_path / "set")
    with pytest.raises(UsageError, match="a name that is no UTF-8"):
        run("split", tmp_path / "set", "-o", tmp_path / "out.csv", "--val", 0.25)


def test_split_writes_a_manifest_that_opens_again(tmp_path: Path) -> None:
    write(
        tmp_path / "set",
        {f"{label}/{i}.png": picture(i // 2 + 50 * (label == "b")) for label in "ab" for i in range(20)},
    )
    out = tmp_path / "lists" / "out.csv"
    run("split", tmp_path / "set", "-o", out, "--val", 0.1, "--test", 0.2, "--seed", 3)
    data = open_dataset(str(out), "image")
    assert [len(data.part(part)) for part in ("train", "validation", "test")] == [28, 4, 8]
    sides = {example.load(): example.split for example in data.examples}
    assert all(sides[e.load()] == e.split for e in data.examples)  # duplicates on one side
    with pytest.raises(UsageError, match="--overwrite replaces it"):
        run("split", tmp_path / "set", "-o", out, "--val", 0.1)
    with pytest.raises(UsageError, match="has a test part already"):
        run("split", out, "-o", tmp_path / "x.csv", "--test", 0.1)


def test_split_of_an_archive_needs_its_root(tmp_path: Path) -> None:
    archive = pack(
        tmp_path / "a.tar.gz", {f"w/{label}/{i}.png": f"{label}{i}" for label in "ab" for i in range(9)}, "w:gz"
    )
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(app, ["split", str(archive), "-o", str(out), "--folds", "3"])
    assert f"--root {archive}" in result.stderr
    data = open_dataset(str(out), "image", root=str(archive))
    assert sorted(e.fold or "" for e in data.examples) == ["0"] * 6 + ["1"] * 6 + ["2"] * 6
    assert {e.load() for e in data.examples} == {f"{label}{i}".encode() for label in "ab" for i in range(9)}


def test_split_keeps_texts_as_they_are(tmp_path: Path) -> None:
    texts = [f' "quoted", {end}end {i}' for i, end in enumerate(["\r", "\n", "\r\n", "\t", "é"] * 4)]
    source = tmp_path / "m.jsonl"
    source.write_text(
        "".join(json.dumps({"text": t, "label": "ab"[i % 2], "who": str(i // 4)}) + "\n" for i, t in enumerate(texts))
    )
    out = tmp_path / "out.csv"
    run("split", source, "-o", out, "--val", 0.4, "--group-column", "who")
    data = open_dataset(str(out), "text")
    assert [e.content for e in data.examples] == texts
    sides = {(i // 4, e.split) for i, e in enumerate(data.examples)}
    assert len(sides) == 5


def test_split_without_a_task_or_with_an_impossible_one(tmp_path: Path) -> None:
    write(tmp_path, {f"{label}/{i}.png": picture(i) for label in "ab" for i in range(4)})
    for options, message in (
        ((), "nothing to do"),
        (("--folds", 3, "--val", 0.1), "leave --val and --test out"),
        (("--val", 0.6, "--test", 0.5), "nothing to train on"),
    ):
        with pytest.raises(UsageError, match=message):
            run("split", tmp_path, "-o", tmp_path / "o.csv", *options)


def test_cifar10_split_through_its_archive(tmp_path: Path) -> None:
    archive = SHARED / "image" / "cifar10.tar.xz"
    if not archive.exists():
        pytest.skip("shared/data is not here")
    run("split", archive, "-o", tmp_path / "c.csv", "--val", 0.1)
    data = open_dataset(str(tmp_path / "c.csv"), "image", root=str(archive))
    assert [len(data.part(part)) for part in ("train", "validation", "test")] == [45_000, 5_000, 10_000]
