"""What stands between spaces, tokenised and looked up once: the same words come again and again. Torch-free."""

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np

from multicnn.data.ragged import Packer, Ragged, blocks
from multicnn.text.tokenize import BETWEEN_SPACES, tokenize

# Bounds on what is remembered, so that memory stays the same over any number of texts: some 30 MB at most.
MOST_PIECES = 1 << 17
LONGEST_PIECE = 40
# Characters that are read together, as `predict` has them: the words of more would not stay in the processor's cache.
STRETCH = 1 << 18
# Stands between texts that are read together, and the id that it is given.
BREAK, BROKEN = "\0", np.array([-1], np.int32)


class Pieces(dict[str, bytes]):
    """From what stands between spaces to its tokens' ids, int32 one behind another, computed when first asked for.

    Where tokens reach over spaces, or depend on what is behind one, nothing is remembered.

    Args:
        tokenizer: a mode of `multicnn.text.tokenize`.
        ids: of the words that have one.
        unknown: the id of all others.
    """

    def __init__(self, tokenizer: str, ids: Mapping[str, int], unknown: int) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._ids = ids
        self._unknown = unknown

    def __missing__(self, piece: str) -> bytes:
        ids = BROKEN if piece == BREAK else look_up(tokenize(piece, self._tokenizer), self._ids, self._unknown)
        found = ids.tobytes()
        if len(piece) <= LONGEST_PIECE and len(self) < MOST_PIECES:
            self[piece] = found
        return found

    def read(self, text: str) -> np.ndarray:
        """The ids of a text's tokens, int32 [tokens]."""
        if self._tokenizer not in BETWEEN_SPACES or BREAK in text:
            return look_up(tokenize(text, self._tokenizer), self._ids, self._unknown)
        return self._joined(text)

    def read_all(self, texts: Sequence[str]) -> Ragged:
        """The same of many texts, which is quicker than one by one.

        Args:
            texts: at least one.
        """
        stretches = blocks(texts, STRETCH)
        if len(stretches) == 1:
            return self._read_stretch(texts)
        packer = Packer()
        for stretch in stretches:
            packer.extend(self._read_stretch(stretch))
        return packer.packed()

    def _read_stretch(self, texts: Sequence[str]) -> Ragged:
        if self._tokenizer in BETWEEN_SPACES:
            ids = self._joined(f" {BREAK} ".join(texts))
            breaks = np.flatnonzero(ids == BROKEN)
            if len(breaks) == len(texts) - 1:  # no text has the sign itself
                kept = np.delete(ids, breaks)
                return Ragged(kept, np.concatenate([[0], breaks - np.arange(len(breaks)), [len(kept)]]))
        packer = Packer()
        for text in texts:
            packer.add(self.read(text))
        return packer.packed()

    def _joined(self, text: str) -> np.ndarray:
        """The ids of what stands between spaces, one behind another."""
        return np.frombuffer(b"".join(map(self.__getitem__, text.split())), np.int32)


def look_up(tokens: list[str], ids: Mapping[str, int], unknown: int) -> np.ndarray:
    """The id of each token, int32 [tokens]."""
    return np.fromiter(map(ids.get, tokens, repeat(unknown)), np.int32, len(tokens))
