"""Decoded examples on disk: exactly what the reader says, decoded once, whatever was interrupted, damaged or shared."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from multicnn.audio.read import AudioReader
from multicnn.data.blob import Blob
from multicnn.data.cache import PRINT, Cache, cache_folder, fingerprints
from multicnn.data.decode import Decoded, collect, decode
from multicnn.data.example import Example
from multicnn.data.recordings import Pieces
from multicnn.image.read import ImageReader
from multicnn.pipeline import Reader

COUNT = 150  # more than two chunks


@pytest.fixture
def pictures(tmp_path: Path) -> list[Example]:
    """Different pictures, and at the end one that is broken, one that is not there, and the first once more."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(COUNT)]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).save(path)
    (tmp_path / "broken.png").write_bytes(paths[0].read_bytes()[:100])
    paths += [tmp_path / "broken.png", tmp_path / "missing.png", paths[0]]
    return [Example(path.name, Blob(path)) for path in paths]


class Counting(ImageReader):
    """Knows how often it was asked to decode."""

    reads: list[int]

    def read(self, content: bytes | str) -> np.ndarray:
        self.reads.append(len(content))
        return super().read(content)


@pytest.fixture
def reader() -> Counting:
    reader = Counting(8, 8)
    object.__setattr__(reader, "reads", [])
    return reader


def uncut(examples: Sequence[Example]) -> Pieces:
    return Pieces(list(examples), np.arange(len(examples)))


def prints_of(examples: Sequence[Example]) -> np.ndarray:
    return np.array(list(fingerprints(examples, 2)), dtype=PRINT)


def open_cache(root: Path, examples: Sequence[Example], reader: Reader) -> Cache:
    like = next(one for one in decode(examples, reader, 1) if isinstance(one, np.ndarray))
    return Cache(root, prints_of(examples), reader, like)


def through(cache: Cache, examples: Sequence[Example]) -> Decoded:
    return cache.collect(uncut(examples), cache.fill(examples, prints_of(examples), 2))


def assert_same(one: Decoded, other: Decoded) -> None:
    assert one.labels == other.labels
    assert one.troubles == other.troubles
    assert len(one.arrays) == len(other.arrays)
    for left, right in zip(one.arrays, other.arrays, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def test_gives_what_the_reader_gives_and_decodes_once(
    pictures: list[Example], reader: Counting, tmp_path: Path
) -> None:
    plain = collect(uncut(pictures), decode(pictures, reader, 2))
    assert [trouble.name for trouble in plain.troubles] == ["broken.png", "missing.png"]
    cache = open_cache(tmp_path, pictures, reader)
    assert cache.missing_bytes == (COUNT + 2) * 8 * 8 * 3
    assert_same(through(cache, pictures), plain)
    again = open_cache(tmp_path, pictures, reader)
    assert again.missing_bytes == 0
    reader.reads.clear()
    assert_same(through(again, pictures), plain)
    assert len(reader.reads) == 1  # the broken one, which says why each time


def test_sounds_come_back_to_the_last_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(20):
        soundfile.write(tmp_path / f"{number}.wav", rng.normal(0, 0.1, (rng.integers(500, 3000), 2)), 11_025)
    examples = [Example(str(number), Blob(tmp_path / f"{number}.wav")) for number in range(20)]
    reader = AudioReader(8000, 1600, "crop")
    plain = collect(uncut(examples), decode(examples, reader, 2))
    for _ in range(2):
        assert_same(through(open_cache(tmp_path, examples, reader), examples), plain)


def test_an_interrupted_build_goes_on(pictures: list[Example], reader: Counting, tmp_path: Path) -> None:
    filling = open_cache(tmp_path, pictures, reader).fill(pictures, prints_of(pictures), 2)
    for _ in range(100):
        next(filling)
    filling.close()
    cache = open_cache(tmp_path, pictures, reader)
    reader.reads.clear()
    assert_same(through(cache, pictures), collect(uncut(pictures), decode(pictures, ImageReader(8, 8), 2)))
    assert len(reader.reads) == COUNT - 100 + 1


@pytest.mark.parametrize("damage", ["bits", "short", "no marks"])
def test_damage_is_noticed_and_mended(damage: str, pictures: list[Example], reader: Counting, tmp_path: Path) -> None:
    cache = open_cache(tmp_path, pictures, reader)
    built = through(cache, pictures)
    before, numbers = np.stack(list(built.arrays)), built.arrays.numbers
    rows = cache.rows.path
    content = bytearray(rows.read_bytes())
    lost = {"bits": {numbers[5]}, "short": {one for one in numbers if one >= 70}, "no marks": set(numbers)}[damage]
    if damage == "bits":
        content[numbers[5] * cache.rows.row_bytes] ^= 1
        rows.write_bytes(content)
    elif damage == "short":
        rows.write_bytes(content[: 70 * cache.rows.row_bytes])
    else:
        (cache.folder / "marks").unlink()
    again = open_cache(tmp_path, pictures, reader)
    reader.reads.clear()
    after = through(again, pictures)
    assert len(reader.reads) == len(lost) + 1
    np.testing.assert_array_equal(np.stack(list(after.arrays)), before)


def test_two_processes_build_it_together(pictures: list[Example], tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from test_cache import *\n"
        "paths = [Path(one) for one in sys.argv[2:]]\n"
        "examples = [Example(path.name, Blob(path)) for path in paths]\n"
        "through(open_cache(Path(sys.argv[1]), examples, ImageReader(8, 8)), examples)\n"
    )
    paths = [str(example.content.path) for example in pictures if isinstance(example.content, Blob)]
    command = [sys.executable, "-c", script, str(tmp_path / "cache"), *paths]
    together = [subprocess.Popen(command, cwd=Path(__file__).parent) for _ in range(2)]
    assert [one.wait() for one in together] == [0, 0]
    cache = open_cache(tmp_path / "cache", pictures, ImageReader(8, 8))
    assert cache.missing_bytes == 0
    assert_same(through(cache, pictures), collect(uncut(pictures), decode(pictures, ImageReader(8, 8), 2)))


def test_a_file_that_changes_meanwhile_is_not_kept(pictures: list[Example], reader: Counting, tmp_path: Path) -> None:
    prints = prints_of(pictures)
    cache = open_cache(tmp_path / "cache", pictures, reader)
    (tmp_path / "3.png").write_bytes((tmp_path / "4.png").read_bytes())
    answers = list(cache.fill(pictures, prints, 2))
    assert str(answers[3]) == "3.png: the file changed while it was read"
    assert isinstance(answers[4], int)


def test_depends_on_contents_and_reading_but_not_on_the_order(
    pictures: list[Example], reader: Counting, tmp_path: Path
) -> None:
    def key(examples: Sequence[Example], **settings: Any) -> Path:
        return open_cache(tmp_path, examples, ImageReader(**{"height": 8, "width": 8} | settings)).folder

    whole = key(pictures)
    assert key(pictures[::-1]) == whole
    assert len({whole, key(pictures[1:-1]), key(pictures, height=9), key(pictures, resize="pad")}) == 4


def test_lies_where_caches_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTICNN_CACHE", "/ours")
    assert cache_folder() == Path("/ours/decoded")
    monkeypatch.delenv("MULTICNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/user")
    assert cache_folder() == Path("/user/multicnn/decoded")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "multicnn" / "decoded"
