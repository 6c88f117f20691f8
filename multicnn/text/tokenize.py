"""Texts to tokens: what counts as a word. Torch-free, and fast enough not to be noticed."""

import re
import unicodedata
from collections.abc import Callable

from multicnn.errors import UsageError, did_you_mean

# Scripts that don't put spaces between words: each character is a token (Chinese, Japanese, Thai, Lao, Burmese, Khmer).
UNSPACED = (
    r"\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
# Marks that belong to the letter before them. Python's \w lacks them and would cut Hindi and pointed Arabic apart.
MARKS = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0730-\u074a\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963"
    r"\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a4d\u0a70\u0a71\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57"
    r"\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u200c"
)
EMOJI = r"[\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]"
TONE = r"[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"

# Signs without a width that only steer how a text is set: soft hyphens, byte order marks, directions.
INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
# `don't` is `do` and `n't`, `it's` is `it` and `'s`, as in the Penn Treebank and in GloVe's vocabulary.
CONTRACTION = r"(?<=[^\W\d_])n't\b|'(?:s|re|ve|ll|d|m)\b"
SPLIT = re.compile(f"(?={CONTRACTION})")
NUMBER = r"\d+(?:[.,:]\d+)+"
# In the order in which they are tried: contractions that stand alone, numbers with signs in them, words, signs.
ASCII_TOKEN = re.compile(rf"n't\b|'(?:s|re|ve|ll|d|m)\b|{NUMBER}|[a-z0-9]+|[!-/:-@\[-`{{-~]")
TOKEN = re.compile(
    rf"n't\b|'(?:s|re|ve|ll|d|m)\b|{NUMBER}|[{UNSPACED}]"
    rf"|[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[{MARKS}])*"
    rf"|[\U0001f1e6-\U0001f1ff]{{2}}|{EMOJI}{TONE}*(?:\u200d{EMOJI}{TONE}*)*"
    rf"|_|[^\w\s\x00-\x1f\x7f-\x9f\ufe0e\ufe0f\u200c\u200d]"
)
KIM_DROPPED = re.compile(r"[^A-Za-z0-9(),!?'`]")
KIM_SPLIT = re.compile(r"(n't|'(?:s|ve|re|d|ll)|[,!?()])")


def tokenize(text: str, mode: str = "unicode") -> list[str]:
    """Cuts a text into tokens.

    Args:
        text: any text, in any composition of its accents.
        mode: `unicode`: case-folded words, numbers and emoji, each punctuation mark by itself, contractions as `do n't`
            and `it 's`, and single characters for scripts without spaces. `whitespace`: what stands between spaces,
            exactly as written. `char`: every character as written, runs of white space as one space. `byte`: the bytes
            of these in UTF-8, each as the character of that code, so that there are 256 tokens in any language. `kim`:
            the cleaning of Kim 2014 (English: Latin letters, digits and `(),!?'` survive, lower-cased). `kim-cased`:
            the same as written, which is how that paper reads TREC.

    Returns:
        The tokens in their order; none for a text without any.

    Raises:
        UsageError: no such mode.
    """
    if mode not in TOKENIZERS:
        raise UsageError(
            f"text.tokenizer is one of {', '.join(TOKENIZERS)}, not {mode}{did_you_mean(str(mode), TOKENIZERS)}"
        )
    return TOKENIZERS[mode](text)


def _unicode(text: str) -> list[str]:
    ascii_only = text.isascii()
    if ascii_only:
        text = text.lower()
    else:
        text = unicodedata.normalize("NFC", INVISIBLE.sub("", text).casefold()).replace("\u2019", "'")
    if "'" in text:
        text = SPLIT.sub(" ", text)
    return (ASCII_TOKEN if ascii_only else TOKEN).findall(text)


def _char(text: str) -> list[str]:
    return list(" ".join(unicodedata.normalize("NFC", text).split()))


def _byte(text: str) -> list[str]:
    return list("".join(_char(text)).encode("utf-8", "surrogatepass").decode("latin-1"))


def _kim(text: str) -> list[str]:
    """Contractions are looked for before the case is dropped, so `DON'T` stays whole, as in the original."""
    return _kim_spaced(text).lower().split()


def _kim_cased(text: str) -> list[str]:
    return _kim_spaced(text).split()


def _kim_spaced(text: str) -> str:
    """A space before a contraction, and on both sides of a punctuation mark; other signs become spaces."""
    return KIM_SPLIT.sub(
        lambda found: f" {found[0]}" if "'" in found[0] else f" {found[0]} ", KIM_DROPPED.sub(" ", text)
    )


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "unicode": _unicode,
    "whitespace": str.split,
    "char": _char,
    "byte": _byte,
    "kim": _kim,
    "kim-cased": _kim_cased,
}
# Those whose tokens never reach over a space: what stands between two can be tokenised by itself.
BETWEEN_SPACES = ("unicode", "whitespace", "kim", "kim-cased")
