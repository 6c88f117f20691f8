"""Examples in columns are the examples that went in."""

from pathlib import Path

import numpy as np
import pytest

from multicnn.data import examples as module
from multicnn.data.blob import Blob
from multicnn.data.example import Example
from multicnn.data.examples import DataSet, ExamplePacker, Examples, classes
from multicnn.data.excerpt import Excerpt
from multicnn.data.word import Word

TEXTS = [
    Example(f"m.csv:{i}", f"text {i % 4}", str(i % 3), ["train", "test", None][i % 3], None, "g" if i % 5 else None)
    for i in range(11)
]
FILES = [
    Example("a", Blob(Path("a")), "10", "train", "1"),
    Example("b", Excerpt(Blob(Path("b"), 3, 4), 0.5), "2", None, "2"),
]
WORDS = [Example("w:1", Word(("to", "be"), place), "O", group="w:1") for place in range(2)]


@pytest.mark.parametrize("given", [TEXTS, FILES, WORDS, []])
def test_gives_the_same_examples_back(given: list[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKED_AT_ONCE", 3)
    found = Examples.of(iter(given))
    assert list(found) == given and len(found) == len(given)
    assert [found[place] for place in range(len(found))] == given
    assert list(found[1:]) == given[1:] and list(found[::-1]) == given[::-1]
    odd = np.arange(len(given)) % 2 == 1
    assert list(found.take(odd)) == given[1::2]
    assert list(found.take(np.flatnonzero(odd)[::-1])) == given[1::2][::-1]


def test_a_word_keeps_its_sentence() -> None:
    word = Examples.of(WORDS)[1].content
    assert isinstance(word, Word) and (word.sentence, word.place) == (("to", "be"), 1)


def test_knows_how_many_there_are_while_they_come() -> None:
    packer = ExamplePacker()
    assert not packer
    packer.extend(TEXTS)
    packer.add(TEXTS[0])
    assert len(packer) == len(TEXTS) + 1
    assert list(packer.packed()) == [*TEXTS, TEXTS[0]]


def test_classes_and_parts() -> None:
    data = DataSet("x", "image", Examples.of(FILES))
    assert data.labels == ["2", "10"]
    assert list(data.part("train")) == FILES[:1] and not len(data.part("test"))
    assert classes(data.part("test"), data.part("train")) == ["10"]
