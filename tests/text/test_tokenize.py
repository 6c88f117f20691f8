"""What counts as a word, in many scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.errors import UsageError
from multicnn.text.tokenize import ASCII_TOKEN, SPLIT, TOKEN, TOKENIZERS, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The movie -- a GOOD one!", "the movie - - a good one !"),
        ("Don't, it's we've CAN'T", "do n't , it 's we 've ca n't"),
        ("do n't it 's ca n't", "do n't it 's ca n't"),  # already in the treebank's form
        ("isn\u2019t it\u2019s", "is n't it 's"),
        ("'quoted' dogs' o'brien", "' quoted ' dogs ' o ' brien"),
        ("1,000,000 3.5 12:30 mp3 v2 5% $7.", "1,000,000 3.5 12:30 mp3 v2 5 % $ 7 ."),
        ("state-of-the-art x_y #tag a@b.c", "state - of - the - art x _ y # tag a @ b . c"),
        ("Wait... what?!", "wait . . . what ? !"),
        ("Straße STRASSE Größe", "strasse strasse grösse"),
        ("Съешь ещё этих «мягких» булок, 3,5 рубля!", "съешь ещё этих « мягких » булок , 3,5 рубля !"),
        ("مرحبا بالعالم، كيف حالك؟", "مرحبا بالعالم ، كيف حالك ؟"),
        ("مُحَمَّد", "مُحَمَّد"),
        ("我喜欢猫。hello世界2024", "我 喜 欢 猫 。 hello 世 界 2024"),
        ("東京タワー", "東 京 タ ワ ー"),
        ("한국어 문장입니다", "한국어 문장입니다"),
        ("हिन्दी में है।", "हिन्दी में है ।"),
        ("a👍🏽b 👩\u200d👧 🇩🇪🇫🇷 ❤️", "a 👍🏽 b 👩\u200d👧 🇩🇪 🇫🇷 ❤️"),
        ("e\u0301cole \u00c9COLE", "\u00e9cole \u00e9cole"),
        ("\ufeffhi\u00adthere\x00 \u200bx", "hithere x"),
        ("   ", ""),
    ],
)
def test_unicode(text: str, tokens: str) -> None:
    assert tokenize(text) == tokens.split()


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_two_paths_agree_on_ascii(text: str) -> None:
    spaced = SPLIT.sub(r" \g<0>", text.lower())
    assert ASCII_TOKEN.findall(spaced) == TOKEN.findall(spaced) == tokenize(text)


@given(st.text())
def test_any_text_gives_tokens_without_spaces(text: str) -> None:
    for mode in ("unicode", "whitespace", "kim", "kim-cased"):
        assert all(token and not token.isspace() for token in tokenize(text, mode))


@given(st.text(alphabet="ab'nts .,!", max_size=30))
def test_tokenising_its_own_output_changes_nothing(text: str) -> None:
    once = tokenize(text)
    assert "".join(once) == text.replace(" ", "")


def test_whitespace_keeps_what_is_written() -> None:
    assert tokenize("Don't  TOUCH\tthis.\n", "whitespace") == ["Don't", "TOUCH", "this."]


def test_char_keeps_case_and_one_space() -> None:
    assert tokenize(" Né \n à", "char") == ["N", "é", " ", "à"]


@pytest.mark.parametrize(
    "text", ["Größe  ist\nalles", "ёж", "\u0645\u0631\u062d\u0628\u0627", "猫 👍🏽", "e\u0301", "\ud800"]
)
def test_byte_has_the_bytes_of_the_characters(text: str) -> None:
    expected = "".join(tokenize(text, "char")).encode("utf-8", "surrogatepass")
    assert [ord(token) for token in tokenize(text, "byte")] == list(expected)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's a (very) good-movie, isn't it?!", "it 's a ( very ) good movie , is n't it ? !"),
        ("They're we'll he'd I've", "they 're we 'll he 'd i 've"),
        ("DON'T `quote` 'em", "don't `quote` 'em"),  # only lower-case contractions are split, as in the original
        ("caf\u00e9 \u2014 5.5%", "caf 5 5"),
        ("привет", ""),
    ],
)
def test_kim(text: str, tokens: str) -> None:
    assert tokenize(text, "kim") == tokens.split()


@given(st.text())
def test_kim_cased_differs_in_capitals_alone(text: str) -> None:
    assert [token.lower() for token in tokenize(text, "kim-cased")] == tokenize(text, "kim")


def test_kim_cased_keeps_capitals() -> None:
    assert tokenize("What's NASA?", "kim-cased") == ["What", "'s", "NASA", "?"]


def test_refuses_an_unknown_mode() -> None:
    with pytest.raises(UsageError, match="did you mean unicode"):
        tokenize("text", "unicod")
    assert set(TOKENIZERS) == {"unicode", "whitespace", "char", "byte", "kim", "kim-cased"}
