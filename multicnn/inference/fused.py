"""The look-ups of a folded TextCNN in one compiled loop. Loading it takes longer than thousands of texts do without."""

import numpy as np
from numba import int16, int32, int64, njit, types, void

from multicnn.inference.strongest import Strongest
from multicnn.text.read import PADDING

LEAST = np.int16(-(2**15))


def compiled() -> Strongest:
    """`fused` as machine code. It is compiled once, and kept beside this file or in the user's cache."""

    def given(kind: types.Type, dimensions: int) -> types.Array:
        return types.Array(kind, dimensions, "C", readonly=True, aligned=False)

    signature = void(given(int16, 2), given(int32, 1), given(int64, 1), given(int64, 1), int64, int16[:, ::1])
    try:
        found: Strongest = njit(signature, cache=True)(fused)
    except RuntimeError:  # it can be kept nowhere
        found = njit(signature)(fused)
    return found


def fused(
    table: np.ndarray, words: np.ndarray, starts: np.ndarray, lengths: np.ndarray, places: int, strongest: np.ndarray
) -> None:
    """As `multicnn.inference.strongest.Strongest` says, for a number of places in `FUSED`."""
    for text in range(len(starts)):
        best = strongest[text]
        best[:] = LEAST
        for word in range(lengths[text]):
            here = starts[text] + word
            a = table[words[here] * places + places - 1]
            b = table[words[here - 1] * places + places - 2 if word >= 1 else PADDING]
            c = table[words[here - 2] * places + places - 3 if word >= 2 and places > 2 else PADDING]
            d = table[words[here - 3] * places + places - 4 if word >= 3 and places > 3 else PADDING]
            e = table[words[here - 4] * places + places - 5 if word >= 4 and places > 4 else PADDING]
            for one in range(len(best)):
                # In 16 bits at each step: twice as many numbers fit the processor's registers then.
                answer = np.int16(np.int16(a[one] + b[one]) + np.int16(c[one] + d[one]))
                best[one] = max(best[one], np.int16(answer + e[one]))
