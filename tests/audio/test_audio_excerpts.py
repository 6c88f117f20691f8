"""Stretches of recordings: the same samples as from the whole, and no more of the file than needed."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from multicnn.audio import plain
from multicnn.audio.decode import decode
from multicnn.audio.plain import Onward
from multicnn.audio.read import AudioReader
from multicnn.audio.windows import starts
from multicnn.data.blob import Blob
from multicnn.data.division import Division, divide, write_manifest
from multicnn.data.duplicates import content_numbers
from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.data.excerpt import Excerpt
from multicnn.data.layout import open_dataset
from multicnn.errors import InputError
from tests.audio.test_audio_read import LOSSLESS, LOSSY, stored
from tests.data.making import pack

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

RATE = 8000


def noise(seconds: float = 3.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize(("format", "subtype"), LOSSLESS + LOSSY)
def test_an_excerpt_has_the_samples_of_the_whole(tmp_path: Path, format: str, subtype: str) -> None:
    content = stored(noise(), RATE, format, subtype)
    (tmp_path / "sound").write_bytes(content)
    whole = decode(content).waveform
    excerpt = decode(Excerpt(Blob(tmp_path / "sound"), 1.25, 2.0)).waveform
    assert len(excerpt) == 6000
    loose = 1e-4 if (format, subtype) in LOSSY else 0
    np.testing.assert_allclose(excerpt, whole[10_000:16_000], atol=loose)


def test_a_member_of_an_archive_is_read_where_it_lies(tmp_path: Path) -> None:
    archive = pack(tmp_path / "all.tar", {"a.wav": stored(noise(seed=1), RATE), "b.wav": stored(noise(), RATE)})
    data = tmp_path / "list.csv"
    data.write_text("path,label,start,end\na.wav,x,,\nb.wav,y,1.25,2\nb.wav,y,2,\n")
    whole, middle, rest = open_dataset(str(data), "audio", root=str(archive)).examples
    assert [one.name for one in (whole, middle, rest)] == ["a.wav", "b.wav:1.25-2", "b.wav:2-"]
    assert isinstance(whole.content, Blob)
    sixteen_bits = decode(stored(noise(), RATE)).waveform
    np.testing.assert_array_equal(decode(middle.load()).waveform, sixteen_bits[10_000:16_000])
    np.testing.assert_array_equal(decode(rest.load()).waveform, sixteen_bits[16_000:])


class Counting(io.FileIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        Counting.count += len(data or b"")
        return data or b""

    def readinto(self, buffer: "WriteableBuffer") -> int:
        count = super().readinto(buffer) or 0
        Counting.count += count
        return count


def test_little_of_a_long_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(noise(), 100), RATE)
    monkeypatch.setattr(Blob, "open", lambda blob: Counting(blob.path))
    assert len(decode(Excerpt(Blob(path), 150, 151)).waveform) == RATE
    assert RATE * 2 <= Counting.count < RATE * 4 < path.stat().st_size


def test_an_mp3_is_decoded_once_from_front_to_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(stored(noise(), RATE, "MP3", "MPEG_LAYER_III"))
    whole = decode(path.read_bytes()).waveform
    monkeypatch.setattr(plain, "SECONDS", 1)  # several blocks
    opened = []
    monkeypatch.setattr(plain, "Onward", lambda stream: opened.append(1) or Onward(stream))
    for start in range(1, 10):
        excerpt = decode(Excerpt(Blob(path), start / 4, start / 4 + 0.5)).waveform
        np.testing.assert_allclose(excerpt, whole[start * 2000 :][:4000], atol=1e-6)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("start", "end", "said"), [(3.0, 4.0, "ends after 3.000 s"), (2.0, 3.2, "seconds 2-3.2 are asked for")]
)
def test_an_excerpt_beyond_the_end_is_an_error(tmp_path: Path, start: float, end: float, said: str) -> None:
    (tmp_path / "a.wav").write_bytes(stored(noise(), RATE))
    with pytest.raises(InputError, match=said):
        decode(Excerpt(Blob(tmp_path / "a.wav"), start, end))


def test_an_end_that_was_rounded_up_is_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(stored(noise(2.99), RATE))
    assert len(decode(Excerpt(Blob(tmp_path / "a.wav"), 2.0, 3.0)).waveform) == round(0.99 * RATE)


def test_a_truncated_file_gives_no_excerpt(tmp_path: Path) -> None:
    content = stored(noise(), RATE)
    (tmp_path / "a.wav").write_bytes(content[:-100])
    with pytest.raises(InputError, match="truncated"):
        decode(Excerpt(Blob(tmp_path / "a.wav"), 0.0, 1.0))


@pytest.mark.parametrize(("start", "end"), [("x", "1"), ("2", "1"), ("-1", "1"), ("1", "nan"), ("1", "inf")])
def test_rows_that_are_no_seconds_are_told(tmp_path: Path, start: str, end: str) -> None:
    (tmp_path / "a.wav").write_bytes(stored(noise(), RATE))
    (tmp_path / "list.csv").write_text(f"path,label,start,end\na.wav,x,{start},{end}\na.wav,y,0,1\n")
    data = open_dataset(str(tmp_path / "list.csv"), "audio")
    assert [one.label for one in data.examples] == ["y"]
    assert "seconds" in data.troubles[0].reason


def test_excerpts_of_a_recording_differ_but_stay_together(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(stored(noise(), RATE))
    (tmp_path / "b.wav").write_bytes(stored(noise(), RATE))  # the same recording once more
    places = (("a.wav", 0), ("a.wav", 1), ("b.wav", 0))
    first, second, copy = (Example("", Excerpt(Blob(tmp_path / name), start, start + 1)) for name, start in places)
    examples = Examples.of([first, second, copy])
    assert content_numbers(examples).tolist() == [0, 1, 0]
    assert content_numbers(examples, recordings=True).tolist() == [0, 0, 0]


def test_a_manifest_that_was_split_keeps_its_excerpts(tmp_path: Path) -> None:
    rows = ["path,label,start,end"]
    for number in range(10):
        (tmp_path / f"{number}.wav").write_bytes(stored(noise(seed=number), RATE))
        rows += [f"{number}.wav,{'xy'[number % 2]},0,1.5", f"{number}.wav,{'xy'[number % 2]},1.5,"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    data = open_dataset(str(tmp_path / "list.csv"), "audio")
    write_manifest(tmp_path / "split.csv", "audio", divide(data, Division(validation=0.4)))
    with (tmp_path / "split.csv").open() as file:
        parts = {}
        for row in csv.DictReader(file):
            parts.setdefault(row["path"], set()).add(row["split"])
    assert all(len(part) == 1 for part in parts.values())
    again = open_dataset(str(tmp_path / "split.csv"), "audio")
    assert sorted(one.name for one in again.examples) == sorted(one.name for one in data.examples)


@pytest.mark.parametrize(
    ("length", "overlap", "expected"),
    [
        (3.0, 0.5, [0.0]),
        (2.0, 0.5, [0.0]),
        (8.0, 0.0, [0.0, 4.0]),
        (9.0, 0.5, [0.0, 2.0, 4.0, 5.0]),
        (8.0, 0.5, [0.0, 2.0, 4.0]),
        (8.001, 0.5, [0.0, 2.0, 4.0]),
    ],
)
def test_windows_start_every_step_and_end_with_the_recording(
    length: float, overlap: float, expected: list[float]
) -> None:
    window = 4.0
    found = starts(length, window, overlap)
    np.testing.assert_allclose(found, expected, atol=0.002)
    assert found[-1] == max(0.0, length - window) or length - window - found[-1] < 0.002


def test_a_reader_cuts_what_is_long(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(stored(noise(), RATE))
    example = Example("a.wav", Blob(path), "x")
    reader = AudioReader(RATE, RATE, windows=True)
    pieces = reader.cut(example)
    assert [one.name for one in pieces] == [f"a.wav:{span}" for span in ("0-1", "0.5-1.5", "1-2", "1.5-2.5", "2-3")]
    assert {one.label for one in pieces} == {"x"}
    whole = decode(path.read_bytes()).waveform
    for number, piece in enumerate(pieces):
        np.testing.assert_array_equal(reader.read(piece.load()), whole[number * 4000 :][:RATE])
    assert [one.name for one in reader.cut(Example("b", Excerpt(Blob(path), 1.0)))] == ["b:1-2", "b:1.5-2.5", "b:2-3"]
    assert [one.name for one in AudioReader(RATE, 3 * RATE, windows=True).cut(example)] == ["a.wav"]
    assert AudioReader(RATE, RATE).cut(example) == [example]
    assert AudioReader(RATE, RATE, "crop").cut(example) == [example]
    assert len(AudioReader(RATE, RATE, "crop").cut(example, training=True)) == 5


def test_what_cannot_be_opened_is_left_for_the_reader_to_tell(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound")
    for example in (Example("a.wav", Blob(tmp_path / "a.wav")), Example("b.wav", Blob(tmp_path / "b.wav"))):
        assert AudioReader(RATE, RATE, windows=True).cut(example) == [example]
