"""Texts to ids, batches and back from settings; vocabularies that don't depend on the order of the texts."""

import json
import random
from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from multicnn.data.example import Example
from multicnn.errors import InputError, UsageError
from multicnn.text.read import TextFacts, TextReader, decode, inspect, starts
from multicnn.text.tokenize import tokenize
from multicnn.text.vocabulary import build_vocabulary

READER = TextReader("unicode", ["cat", "the", "sat"], max_length=4, min_length=3)


def test_looks_words_up() -> None:
    ids = READER.read("The CAT slept")
    assert ids.dtype == np.int32
    assert ids.tolist() == [3, 2, 1]


def test_keeps_the_start_of_a_long_text() -> None:
    assert READER.read("cat the sat cat the").tolist() == [2, 3, 4, 2]


@pytest.mark.parametrize(("truncate", "kept"), [("head", "abc"), ("middle", "cde"), ("tail", "efg")])
@pytest.mark.parametrize("tokenizer", ["unicode", "char", "byte"])
def test_keeps_the_part_of_a_long_text_that_is_asked_for(truncate: str, kept: str, tokenizer: str) -> None:
    reader = TextReader(tokenizer, list("abcdefg "), 3, truncate=truncate)
    text = (" " if tokenizer == "unicode" else "").join("abcdefg")
    assert "".join(reader.vocabulary[number - 2] for number in reader.read(text)) == kept
    assert reader.read("g").tolist() == [8]


@pytest.mark.parametrize("truncate", ["head", "middle", "tail"])
@pytest.mark.parametrize("tokenizer", ["unicode", "char"])
def test_many_texts_are_read_as_each_by_itself(truncate: str, tokenizer: str) -> None:
    reader = TextReader(tokenizer, list("abcdefg "), 3, truncate=truncate)
    texts = ["a b c d e f g", "", "z a", " ", "g f e d", "a"]
    for several in (texts, texts[:3]):
        found = reader.read_all(several)
        for text, ids in zip(several, found, strict=True):
            assert ids.tolist() == (reader.read(text).tolist() if text.strip() else [])


@pytest.mark.parametrize(
    ("length", "window", "overlap", "expected"),
    [
        (3, 4, 0.5, [0]),
        (4, 4, 0.5, [0]),
        (5, 4, 0.5, [0, 1]),
        (8, 4, 0.5, [0, 2, 4]),
        (9, 4, 0.0, [0, 4, 5]),
        (6, 4, 0.99, [0, 1, 2]),
    ],
)
def test_windows_reach_from_the_first_token_to_the_last(
    length: int, window: int, overlap: float, expected: list[int]
) -> None:
    assert starts(length, window, overlap) == expected


@pytest.mark.parametrize("tokenizer", ["unicode", "char"])
def test_windows_have_the_tokens_that_the_whole_text_has_there(tokenizer: str) -> None:
    text = "don't cut it'll be: wrong! at this"
    whole = TextReader(tokenizer, build_vocabulary(Counter(tokenize(text, tokenizer))), 100)
    reader = replace(whole, max_length=4, truncate="windows")
    ids = whole.read(text).tolist()
    windows = reader.cut(Example("a", text, "x", group="g"))
    places = starts(len(ids), 4, 0.5)
    assert [reader.read(one.load()).tolist() for one in windows] == [ids[start : start + 4] for start in places]
    assert {(one.name, one.label, one.group) for one in windows} == {("a", "x", "g")}


def test_a_text_that_cannot_be_read_is_not_cut() -> None:
    reader = TextReader("unicode", ["a"], 2, truncate="windows")
    for empty in (Example("a", ""), Example("b", " ")):
        assert reader.cut(empty) == [empty]


SAMPLES = {
    "german": "Die Straße nach Köln ist gesperrt, bitte über Düsseldorf fahren!",
    "russian": "Съешь ещё этих мягких французских булок, да выпей чаю.",
    "arabic": "مرحبا بالعالم، كيف حالك اليوم؟",
    "chinese": "我喜欢猫，但是我的猫不喜欢我。",
}


@pytest.mark.parametrize("tokenizer", ["unicode", "char", "byte"])
@pytest.mark.parametrize("language", SAMPLES)
def test_reads_any_language_without_an_unknown_token(language: str, tokenizer: str) -> None:
    tokens = tokenize(SAMPLES[language], tokenizer)
    ids = TextReader(tokenizer, build_vocabulary(Counter(tokens)), 1000).read(SAMPLES[language])
    assert len(ids) == len(tokens) and 1 not in ids
    if language == "chinese" and tokenizer == "unicode":
        assert tokens == list(SAMPLES[language])


def test_collate_pads_to_the_longest_and_to_min_length() -> None:
    one, two = READER.read("cat"), READER.read("the cat sat the")
    assert READER.collate([one]).tolist() == [[2, 0, 0]]
    batch = READER.collate([one, two])
    assert batch.dtype == np.int32
    assert batch.tolist() == [[2, 0, 0, 0], [3, 2, 4, 3]]


@pytest.mark.parametrize("text", ["", "  \n\t", b"", b"\xef\xbb\xbf"])
def test_an_empty_text_is_an_error(text: str | bytes) -> None:
    with pytest.raises(InputError, match="the text is empty"):
        READER.read(text)


def test_a_text_without_a_token_says_which_tokenizer() -> None:
    with pytest.raises(InputError, match="tokenizer kim keeps"):
        TextReader("kim", ["a"], 10).read("привет")


def test_reads_utf8_with_and_without_a_byte_order_mark() -> None:
    assert decode("grüße".encode()) == decode(b"\xef\xbb\xbf" + "grüße".encode()) == "grüße"
    assert decode("\ufeffas it is") == "\ufeffas it is"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"abc\xe9 def", r"byte 3 \(0xe9\)"),
        (b"\xef\xbb\xbfab\xff", r"byte 5 \(0xff\)"),
        (b"a" * 1234 + b"\xc3", "byte 1,234"),
    ],
)
def test_names_the_byte_that_is_not_utf8(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        READER.read(content)


def test_inspect_counts() -> None:
    assert inspect("The cat's here.") == TextFacts(tokens=5, characters=15)
    assert inspect(" ") == TextFacts(tokens=0, characters=1)


def test_settings_survive_json() -> None:
    settings = json.loads(json.dumps(READER.settings()))
    again = TextReader(**settings)
    assert again == READER
    assert again.read("the cat").tolist() == READER.read("the cat").tolist()


def test_refuses_wrong_settings() -> None:
    with pytest.raises(UsageError, match="did you mean whitespace"):
        TextReader("white-space", [], 10)
    with pytest.raises(UsageError, match="head, middle, tail, windows, not end"):
        TextReader("unicode", [], 10, truncate="end")
    with pytest.raises(UsageError, match="max_length 0"):
        TextReader("unicode", [], 0)
    with pytest.raises(UsageError, match=r"overlap is a share from 0 up to 1, not 1"):
        TextReader("unicode", [], 10, truncate="windows", overlap=1)


def test_vocabulary_is_by_frequency_then_alphabet_whatever_the_order() -> None:
    texts = [["b", "a", "c"], ["c", "a"], ["d", "c"], ["ä"]]
    expected = ["c", "a", "b", "d", "ä"]
    for seed in range(5):
        random.Random(seed).shuffle(texts)
        counts = Counter(chain.from_iterable(texts))
        assert build_vocabulary(counts) == expected
    assert build_vocabulary(counts, min_count=2) == ["c", "a"]
    assert build_vocabulary(counts, max_size=3) == ["c", "a", "b"]
    assert build_vocabulary(counts, 1, 100_000) == expected


def test_a_vocabulary_without_words_says_why() -> None:
    with pytest.raises(UsageError, match=r"lower text\.vocabulary\.min_count"):
        build_vocabulary({"a": 1, "b": 1}, min_count=2)
    with pytest.raises(UsageError, match="no words"):
        build_vocabulary({})
