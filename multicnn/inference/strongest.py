"""Each filter's strongest answer to each of several texts, by look-ups in a folded TextCNN's table."""

from typing import Protocol

import numpy as np

from multicnn.text.read import PADDING

# Windows of words that are summed at a time: the sums of 300 filters are 0.6 MB, which stay in the processor's cache.
WINDOWS = 1024
# The numbers of places for which `multicnn.inference.fused` is there. It always adds up five rows; those of the places
# that are missing are the padding's, zero for all places but the last.
FUSED = range(2, 6)


class Strongest(Protocol):
    """Finds the answers."""

    def __call__(
        self,
        table: np.ndarray,
        words: np.ndarray,
        starts: np.ndarray,
        lengths: np.ndarray,
        places: int,
        strongest: np.ndarray,
        /,
    ) -> None:
        """Looks up and adds.

        Args:
            table: what each word adds to each filter's answer at each place in a window, int16 [words * places,
                filters], all places of a word side by side.
            words: the ids of the tokens of all texts, int32 [tokens].
            starts: where each text starts among them, int64 [texts].
            lengths: how many tokens each has, at least one, int64 [texts].
            places: how many words the longest windows have.
            strongest: what is found, int16 [texts, filters].
        """
        ...


def in_blocks(
    table: np.ndarray, words: np.ndarray, starts: np.ndarray, lengths: np.ndarray, places: int, strongest: np.ndarray
) -> None:
    """By NumPy, a block of texts of similar lengths at a time, so that what is done stays in the processor's cache."""
    longest_first = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[longest_first], lengths[longest_first]
    first_rows = words.astype(np.intp) * places
    room = np.empty((2, max(WINDOWS, lengths[0]), table.shape[1]), np.int16)  # fresh memory is slow at first
    done = 0
    while done < len(longest_first):
        some = slice(done, done + max(1, WINDOWS // int(lengths[done])))
        strongest[longest_first[some]] = _block(table, first_rows, starts[some], lengths[some], places, room)
        done = some.stop


def _block(
    table: np.ndarray, first_rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, places: int, room: np.ndarray
) -> np.ndarray:
    """Those of a few texts, int16 [texts, filters].

    Args:
        table, starts, lengths, places: as for `Strongest`; the first text is the longest.
        first_rows: of each token of all texts.
        room: for two numbers for each window and filter, int16 [2, windows, filters].
    """
    words, texts = lengths[0], len(lengths)
    further = np.arange(1 - places, words)[:, None]
    # [tokens, texts], so that one word further in all windows is so many texts further here; padding is word 0.
    is_real = (further >= 0) & (further < lengths)
    padded = np.where(is_real, first_rows.take(starts + further, mode="clip"), PADDING).ravel()
    sums, summand = room[:, : words * texts]
    for place in range(places):
        rows = padded[place * texts : (place + words) * texts] + place
        table.take(rows, axis=0, out=summand if place else sums, mode="clip")
        if place:
            sums += summand
    strongest: np.ndarray = sums.reshape(words, texts, -1).max(axis=0)
    return strongest
