"""Tokenising between spaces: the same ids as from the whole text, and bounded memory."""

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multicnn.text import pieces
from multicnn.text.pieces import Pieces, look_up
from multicnn.text.tokenize import BETWEEN_SPACES, tokenize

WORDS = {"a": 2, "n't": 3, "'s": 4, "film": 5, ".": 6, "1,000": 7, "é": 8, "don't": 9, "ss": 10}

# Letters, signs, contractions, spaces of many kinds, marks that join what is beside them, and signs without a width.
TRICKY = st.text(
    alphabet="aéßΣςNnTt's’.,:!?-_10 \t\n\r\x0b\x1c\x85\xa0\u2000\u2028\u3000\u0300\u200b\u200d\ufe0f👍🏽猫ก"
)


class Numbers(dict[str, int]):
    """Gives each word that it is asked for a number of its own, so that ids tell tokens apart."""

    def get(self, word: str, default: object = None) -> int:  # type: ignore[override]
        return self.setdefault(word, len(self))


@pytest.mark.parametrize("mode", BETWEEN_SPACES)
@given(text=st.one_of(st.text(), TRICKY))
@example(text="don 't  DON'T\u00a0isn't n't 'S")
@example(text="e \u0301 1 ,000 1,000 👍 🏽 \ufeffa\u00adb ΑΣ Σ")
def test_agrees_with_the_whole_text(mode: str, text: str) -> None:
    ids = Numbers()
    expected = look_up(tokenize(text, mode), ids, 1)
    several = Pieces(mode, ids, 1)
    for _ in range(2):  # computed, then remembered
        found = several.read(text)
        assert found.dtype == np.int32 and found.tolist() == expected.tolist()


# Surrogates, private signs, and codes that stand for nothing yet.
UNUSED = ("Cs", "Co", "Cn")


@pytest.mark.parametrize("mode", BETWEEN_SPACES)
def test_no_character_reaches_over_a_space(mode: str) -> None:
    ids = Numbers()
    several = Pieces(mode, ids, 1)
    for start in range(0, sys.maxunicode, 4096):
        signs = [sign for sign in map(chr, range(start, start + 4096)) if unicodedata.category(sign) not in UNUSED]
        text = " ".join(f"a {sign} a{sign} {sign}a" for sign in signs)
        assert several.read(text).tolist() == look_up(tokenize(text, mode), ids, 1).tolist()


@pytest.mark.parametrize("mode", [*BETWEEN_SPACES, "char"])
@given(st.lists(st.one_of(TRICKY, st.sampled_from(["", " ", "\0", "a \0 b", "a\0"])), min_size=1, max_size=6))
def test_many_texts_are_read_as_each_by_itself(mode: str, texts: list[str]) -> None:
    several = Pieces(mode, Numbers(), 1)
    together = several.read_all(texts)
    assert len(together) == len(texts)
    assert [found.tolist() for found in together] == [several.read(text).tolist() for text in texts]


def test_unknown_words_have_the_id_that_was_given() -> None:
    assert Pieces("unicode", WORDS, 1).read("A film isn't  Bad.").tolist() == [2, 5, 1, 3, 1, 6]


def test_no_more_is_remembered_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_PIECES", 3)
    some = Pieces("unicode", WORDS, 1)
    assert some.read("a film . é a " + "a" * 41).tolist() == [2, 5, 6, 8, 2, 1]
    assert sorted(some) == [".", "a", "film"]
    assert Pieces("unicode", WORDS, 1).read("a" * 41).tolist() == [1]
