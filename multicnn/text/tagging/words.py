"""A sentence as words with their places, case and all. Torch-free."""

import re

from multicnn.text.tokenize import EMOJI, MARKS, TONE, UNSPACED

LETTER = rf"(?:[^\W{UNSPACED}]|[{MARKS}])"
CONTRACTION = r"['\u2019](?:s|re|ve|ll|d|m)\b"
# In the order in which they are tried: abbreviations (`U.S.`), contractions, characters of scripts without spaces,
# words with signs inside (`1996-08-22`, `AT&T`, `O'Brien`), emoji, signs.
WORD = re.compile(
    rf"(?:[^\W\d_{UNSPACED}]\.){{2,}}|{CONTRACTION}|[{UNSPACED}]"
    rf"|{LETTER}+(?:(?!{CONTRACTION})[^\s\w]{LETTER}+)*|{EMOJI}{TONE}*|\S"
)


def words_of(text: str) -> list[re.Match[str]]:
    """The words of a sentence as the tagged corpora divide them: exactly as written, signs at their ends apart."""
    return list(WORD.finditer(text))
