"""Patterns, taken apart: what they say, and what is told where they say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.language.parse import MOST_LAYERS, parse
from multicnn.language.tree import PatternError

TEXTBOOK = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


def words(pattern: str, **variables: int) -> list[str]:
    return [unit.text for unit in parse(pattern, variables)]


def test_a_layer_has_a_word_numbers_a_step_and_modifiers() -> None:
    (unit,) = parse("conv5x3-32/2:same:d2:g4")
    assert (unit.word, unit.values, unit.stride) == ("conv", ((5, 3), 32), 2)
    assert unit.modifiers == {"same": None, "d": 2, "g": 4}
    assert not unit.optional
    (unit,) = parse("pool3?")
    assert (unit.text, unit.values, unit.optional) == ("pool3", (3,), True)
    (unit,) = parse("drop0.5")
    assert unit.values == (0.5,)


def test_groups_are_written_out() -> None:
    assert words("[[a b]*2 c]*2 d") == ["a", "b", "a", "b", "c"] * 2 + ["d"]
    assert words("[a b]") == ["a", "b"]
    assert words("[a]*0 b") == ["b"]
    assert words("dense12*3") == ["dense12"] * 3


def test_the_textbooks_notation_is_the_same() -> None:
    assert words(TEXTBOOK, N=2, M=1, K=1) == ["CONV", "RELU", "CONV", "RELU", "POOL", "FC", "RELU", "FC"]
    assert [unit.word for unit in parse("INPUT->CONV3->RELU -> FC")] == ["conv", "relu", "fc"]


@given(
    names=st.lists(st.sampled_from(["conv3-8", "relu", "pool2", "fc"]), min_size=1, max_size=5),
    times=st.integers(1, 4),
    spaces=st.text(" \n\t", max_size=3),
)
def test_white_space_says_nothing(names: list[str], times: int, spaces: str) -> None:
    joined = f" {spaces}".join(names)
    assert words(f"{spaces}[{spaces}{joined}{spaces}]*{times}{spaces}") == names * times


def test_each_layer_knows_its_columns() -> None:
    pattern = "[conv3 relu]*2 -> fc10"
    for unit in parse(pattern):
        assert pattern[unit.start : unit.end] == unit.text


@pytest.mark.parametrize(
    ("pattern", "column", "message"),
    [
        ("conv3- relu", 7, '" " does not fit; here fits a layer or a number'),
        ("[conv3 relu", 1, "this [ is never closed"),
        ("conv3 [[relu] fc", 7, "this [ is never closed"),
        ("conv3 relu]", 11, '"]" does not fit'),
        ("conv3 && fc", 7, '"&" does not fit'),
        ("", 1, "the end of the pattern does not fit"),
        ("conv3 ->", 9, "the end of the pattern does not fit; here fits [ or a layer"),
        ("conv3*2.5 fc", 6, "a layer is repeated 0, 1, 2, ... times, not 2.5"),
        ("conv3*3x3 fc", 8, '"x" does not fit; here fits a space or ->'),
        ("conv3-64relu fc", 9, '"r" does not fit; here fits a space or ->'),
        ("[conv]*N fc", 8, "N has no value; write a number in its place, or say --set model.options.N=2"),
        ("input", 1, "a pattern has at least one layer"),
        ("[[relu]*1000]*1000 fc", 1, f"more than {MOST_LAYERS:,} layers"),
    ],
)
def test_what_is_wrong_is_pointed_at(pattern: str, column: int, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse(pattern)
    assert message in str(caught.value)
    shown, caret = caught.value.details.splitlines()
    assert shown.strip() == pattern.strip()
    assert caret.index("^") - 2 == column - 1
