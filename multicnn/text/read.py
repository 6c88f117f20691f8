"""From a text to the ids of its tokens. Torch-free: prediction runs exactly this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from multicnn.data.example import Content, Example
from multicnn.data.passage import Passage
from multicnn.data.ragged import Ragged
from multicnn.errors import InputError, UsageError, did_you_mean
from multicnn.text.pieces import Pieces
from multicnn.text.standins import StandIns
from multicnn.text.tokenize import BETWEEN_SPACES, TOKENIZERS, tokenize

PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2
UNKNOWNS = ("unk", "hash")
# Where what is kept of a text begins, from how many tokens it has too many; `cut` leaves none where there are windows.
KEPT: dict[str, Callable[[Any], Any]] = {
    "head": lambda surplus: 0,
    "middle": lambda surplus: surplus // 2,
    "tail": lambda surplus: surplus,
    "windows": lambda surplus: 0,
}


@dataclass(frozen=True, slots=True)
class TextFacts:
    """How long a text is: in tokens of the default tokenizer, and in characters."""

    tokens: int
    characters: int


@dataclass(frozen=True)
class TextReader:
    """Reads one text as int32 [tokens]: 0 is padding, 1 a word that isn't in the vocabulary, words begin at 2.

    Args:
        tokenizer: a mode of `multicnn.text.tokenize`.
        vocabulary: the words; the first has id 2.
        max_length: tokens that are kept.
        min_length: tokens that a batch has at least, made up with padding.
        unknown: `unk` reads all words that aren't in the vocabulary as 1; `hash` reads as it what no known word is
            spelt like, and the others as the one that they are spelt most like.
        truncate: what is kept of a text with more than `max_length` tokens: its `head`, `middle` or `tail`; or all of
            it, in overlapping `windows` of so many.
        overlap: how much of a window the next one shares, 0 up to 1.
    """

    tokenizer: str
    vocabulary: list[str]
    max_length: int
    min_length: int = 1
    unknown: str = "unk"
    truncate: str = "head"
    overlap: float = 0.5
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _pieces: Pieces = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.tokenizer not in TOKENIZERS:
            near = did_you_mean(str(self.tokenizer), TOKENIZERS)
            raise UsageError(f"text.tokenizer is one of {', '.join(TOKENIZERS)}, not {self.tokenizer}{near}")
        if self.max_length < 1 or self.min_length < 0:
            raise UsageError(f"texts have 1 token or more, not text.max_length {self.max_length}")
        if self.unknown not in UNKNOWNS or (self.unknown == "hash" and self.tokenizer not in BETWEEN_SPACES):
            raise UsageError(f"text.unknown is {' or '.join(UNKNOWNS)}, and hash for words only, not {self.unknown}")
        if self.truncate not in KEPT:
            raise UsageError(f"text.truncate is one of {', '.join(KEPT)}, not {self.truncate}")
        if not 0 <= self.overlap < 1:
            raise UsageError(f"text.overlap is a share from 0 up to 1, not {self.overlap}")
        kind: type[dict[str, int]] = StandIns if self.unknown == "hash" else dict
        object.__setattr__(self, "_ids", kind((word, at) for at, word in enumerate(self.vocabulary, FIRST_WORD)))
        object.__setattr__(self, "_pieces", Pieces(self.tokenizer, self._ids, UNKNOWN))

    @property
    def windows(self) -> bool:
        """Whether a longer text is cut into windows."""
        return self.truncate == "windows"

    def read(self, content: Content) -> np.ndarray:
        """Tokenises, looks up, and fits the length.

        Returns:
            int32 [tokens], 1 to max_length of them.

        Raises:
            InputError: the text is empty, has no token, or its bytes are not UTF-8.
        """
        ids = content.ids if isinstance(content, Passage) else self._ids_of(decode(content))
        if len(ids) <= self.max_length:
            return ids
        start = KEPT[self.truncate](len(ids) - self.max_length)
        return ids[start : start + self.max_length].copy()  # a view would keep all of them

    def read_all(self, texts: Sequence[str]) -> Ragged:
        """Many texts, each as `read` reads it; one without a token has none here.

        Args:
            texts: at least one.
        """
        ids = self._pieces.read_all(texts)
        surplus = np.maximum(ids.lengths - self.max_length, 0)
        return ids.parts(KEPT[self.truncate](surplus), self.max_length) if surplus.any() else ids

    def read_many(self, texts: Sequence[str]) -> tuple[Ragged, dict[int, str]]:
        """As `multicnn.pipeline.ManyReader` says."""
        ids = self.read_all(texts)
        return ids, {place: str(self.nothing_in(texts[place])) for place in np.flatnonzero(ids.lengths == 0).tolist()}

    def nothing_in(self, text: str) -> InputError:
        """What is wrong with a text without a token."""
        what = f"has nothing that the tokenizer {self.tokenizer} keeps" if text.strip() else "is empty"
        return InputError(f"the text {what}")

    def _ids_of(self, text: str) -> np.ndarray:
        """The ids of all tokens, int32 [tokens], at least one."""
        ids = self._pieces.read(text)
        if not len(ids):
            raise self.nothing_in(text)
        return ids

    def cut(self, example: Example, training: bool = False) -> list[Example]:
        """The windows of a text, as examples of their own; each is the same in training as in prediction.

        Args:
            example: one that cannot be read, or need not be cut, stays as it is.
            training: makes no difference.
        """
        if not self.windows:
            return [example]
        try:
            ids = self._ids_of(decode(example.load()))
        except InputError:
            return [example]
        length = self.max_length
        return [
            replace(example, content=Passage(ids[start : start + length]))
            for start in starts(len(ids), length, self.overlap)
        ]

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """One batch, int32 [batch, tokens], padded behind to the longest text and to at least `min_length`."""
        longest = max(self.min_length, *map(len, arrays))
        batch = np.full((len(arrays), longest), PADDING, np.int32)
        for row, ids in zip(batch, arrays, strict=True):
            row[: len(ids)] = ids
        return batch

    def settings(self) -> dict[str, Any]:
        """The fields; `TextReader(**settings)` is the same reader."""
        return {
            "tokenizer": self.tokenizer,
            "vocabulary": self.vocabulary,
            "max_length": self.max_length,
            "min_length": self.min_length,
            "unknown": self.unknown,
            "truncate": self.truncate,
            "overlap": self.overlap,
        }


def starts(length: int, window: int, overlap: float) -> list[int]:
    """Where the windows of a text start; the last one ends with the text.

    Args:
        length: of the text, in tokens.
        window: of each window; a text that is not longer has one.
        overlap: the share of a window that the next one has too, 0 up to 1; the last two may share more.
    """
    last = max(0, length - window)
    return [*range(0, last, max(1, round(window * (1 - overlap)))), last]


def decode(content: Content) -> str:
    """A file's bytes as text; a text as it is. A byte order mark is dropped.

    Raises:
        InputError: not UTF-8.
    """
    if not isinstance(content, bytes):
        return str(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec counts behind a byte order mark.
        at = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        raise InputError(f"byte {at:,} (0x{content[at]:02x}) is not UTF-8; save the text as UTF-8") from error


def inspect(content: Content) -> TextFacts:
    """Says how long a text is; an empty one has 0 tokens.

    Raises:
        InputError: not UTF-8.
    """
    text = decode(content)
    return TextFacts(len(tokenize(text)), len(text))
