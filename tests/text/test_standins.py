"""Words that stand in for unknown ones: the definition by hand, and the same answers in a run and its model."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.errors import UsageError
from multicnn.text import standins
from multicnn.text.read import TextReader
from multicnn.text.standins import ALIKE, StandIns, hashed_pieces
from tests.conftest import Cli

LETTERS = st.text("abcd", min_size=1, max_size=8)
WORDS = ["economist", "buttons", "require", "enchanting", "sailor", "1987", "предложение", "a"]


def pieces(word: str) -> set[str]:
    """Those of 3 to 5 characters of a marked word."""
    marked = f"<{word}>"
    return {marked[at : at + size] for size in (3, 4, 5) for at in range(len(marked) - size + 1)}


def cosines(word: str, known: list[str]) -> list[float]:
    """The definition, without hashing."""
    holders = Counter(piece for other in known for piece in pieces(other))

    def dot(one: set[str], other: set[str]) -> float:
        return sum(math.log((1 + len(known)) / (1 + holders[piece])) ** 2 for piece in one & other)

    own = pieces(word)
    lengths = [math.sqrt(dot(own, own) * dot(pieces(other), pieces(other))) for other in known]
    return [dot(own, pieces(other)) / max(length, 1e-9) for other, length in zip(known, lengths, strict=True)]


@given(st.lists(LETTERS, min_size=2, max_size=30, unique=True), LETTERS)
def test_agrees_with_the_definition(known: list[str], word: str) -> None:
    found = StandIns((other, number) for number, other in enumerate(known)).get(word)
    expected = cosines(word, known)
    if word in known:
        assert found == known.index(word)
    elif found is None:
        assert max(expected) <= ALIKE + 1e-6
    else:
        assert expected[found] == pytest.approx(max(expected)) and expected[found] >= ALIKE - 1e-6


def test_a_word_that_is_spelt_alike_stands_in() -> None:
    reader = TextReader("unicode", WORDS, 20, unknown="hash")
    text = "Economists required buttons , предложения sailors zzz"
    expected = ["economist", "require", "buttons", None, "предложение", "sailor", None]
    assert reader.read(text).tolist() == [1 if word is None else WORDS.index(word) + 2 for word in expected]
    assert TextReader("unicode", WORDS, 20).read(text).tolist() == [1, 1, 3, 1, 1, 1, 1]


def test_pieces_are_those_of_each_word_by_itself() -> None:
    together, owners = hashed_pieces(["abc", "de", ""])
    for place, word in enumerate(["abc", "de", ""]):
        assert sorted(together[owners == place]) == sorted(hashed_pieces([word])[0])
        assert len(set(together[owners == place])) == len(pieces(word))


def test_no_more_is_remembered_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standins, "MOST_REMEMBERED", 2)
    some = StandIns([("ship", 5)])
    assert [some.get(word, 1) for word in ("aaa", "bbb", "ccc", "ship")] == [1, 1, 1, 5]
    assert list(some._remembered) == ["ccc"]


def test_it_is_for_words_only() -> None:
    with pytest.raises(UsageError, match="hash for words only"):
        TextReader("char", ["a"], 10, unknown="hash")
    with pytest.raises(UsageError, match="not hsh"):
        TextReader("unicode", ["a"], 10, unknown="hsh")


@pytest.mark.slow
def test_a_model_reads_unknown_words_as_its_training_did(texts: Path, cli: Cli, tmp_path: Path) -> None:
    settings = ("-s", "text.unknown=hash", "-s", "model.options.filters=4", "-s", "text.vocabulary.min_count=2")
    done = cli("train", "text", texts, "-o", tmp_path / "run", "--epochs", 2, *settings, "-q")
    assert done.returncode == 0, done.stderr
    model = tmp_path / "run" / "model"
    assert json.loads((model / "bundle.json").read_text())["reader"]["unknown"] == "hash"
    again = cli("evaluate", tmp_path / "run", texts, "--json")
    measured = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert json.loads(again.stdout)["log_loss"] == measured["log_loss"]
    alike = [cli("predict", model / "model.onnx", "--text", text) for text in ("harbours sailors", "harbour sailor")]
    first, second = (json.loads(one.stdout)["scores"] for one in alike)
    assert first == second
