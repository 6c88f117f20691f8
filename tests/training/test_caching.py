"""Whether decoded examples are kept: where it pays, where there is room, and as the recipe says."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from multicnn.data.blob import Blob
from multicnn.data.excerpt import Excerpt
from multicnn.data.parts import divide
from multicnn.data.recordings import Pieces, cut
from multicnn.errors import InputError, UsageError
from multicnn.image.read import ImageReader
from multicnn.recipe import Data, ImageRecipe
from multicnn.training import caching
from multicnn.training.caching import Cached, open_cache
from multicnn.training.progress import Reporter

Parts = dict[str, Pieces]


class Told(Reporter):
    """Remembers what it said."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def parts(few_pictures: Path) -> Parts:
    named = divide(Data(path=str(few_pictures)), "image", 0).named()
    return {name: cut(examples, ImageReader(24, 24)) for name, examples in named.items()}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MULTICNN_CACHE", str(tmp_path / "ours"))
    return tmp_path / "ours" / "decoded"


def opened(parts: Parts, wanted: str, told: Told | None = None) -> Cached | None:
    recipe = ImageRecipe(data=Data(cache=wanted))
    return open_cache(recipe, parts, ImageReader(24, 24), 2, told or Told())


def test_little_work_is_not_kept_unless_asked_for(parts: Parts, cache: Path, tmp_path: Path) -> None:
    assert opened(parts, "auto") is None
    assert opened(parts, "off") is None
    assert not cache.exists()
    on, folder = opened(parts, "on"), opened(parts, str(tmp_path / "mine"))
    assert on is not None
    assert on.cache.folder.parent == cache
    assert folder is not None
    assert folder.cache.folder.parent == tmp_path / "mine"


@pytest.mark.parametrize("reason", ["slow", "large"])
def test_auto_keeps_what_takes_long_or_fills_the_memory(
    reason: str, parts: Parts, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason == "slow":
        monkeypatch.setattr(caching, "WORTH", 0)
    else:
        monkeypatch.setattr(caching, "fits_memory", lambda size: False)
    told = Told()
    cached = opened(parts, "auto", told)
    assert cached is not None
    assert cached.cache.folder.parent == cache
    assert told.lines == [f"decoded examples are kept in {cached.cache.folder}: 0.1 MB (--cache off: nowhere)"]
    read = {name: cached.read(name, pieces, told) for name, pieces in parts.items()}
    assert {name: len(one.arrays) for name, one in read.items()} == {
        name: len(pieces.examples) for name, pieces in parts.items()
    }
    told.lines.clear()
    assert opened(parts, "auto", told) is not None
    assert not told.lines  # nothing is written any more


def test_no_room_or_no_right_to_write(
    parts: Parts, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "WORTH", 0)
    with monkeypatch.context() as small:
        small.setattr(caching.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
        told = Told()
        assert opened(parts, "auto", told) is None
        assert "not kept" in told.lines[0]
        with pytest.raises(UsageError, match="--cache: .* 0.0 MB are free"):
            opened(parts, str(tmp_path / "mine"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        opened(parts, str(tmp_path / "file"))


def test_excerpts_are_not_kept(parts: Parts) -> None:
    first, *others = parts["train"].examples
    assert isinstance(first.content, Blob)
    parts["train"].examples = [replace(first, content=Excerpt(first.content)), *others]
    assert opened(parts, "on") is None


def test_no_cache_where_nothing_can_be_read(parts: Parts) -> None:
    class Blind(ImageReader):
        def read(self, content: bytes | str) -> np.ndarray:
            raise InputError("no")

    assert open_cache(ImageRecipe(data=Data(cache="on")), parts, Blind(8, 8), 1, Told()) is None
