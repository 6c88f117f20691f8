"""Examples that are read in pieces: long recordings, cut into windows. Most examples are a piece themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multicnn.data.example import Example

if TYPE_CHECKING:  # pipelines use data
    from multicnn.pipeline import Reader


@dataclass(slots=True)
class Pieces:
    """What is read of some examples.

    Attributes:
        examples: the pieces, those of one example one behind another.
        owner: the place of the example that each piece is of, int64 [pieces].
    """

    examples: Sequence[Example]
    owner: np.ndarray


def cut(examples: Sequence[Example], reader: "Reader", training: bool = False) -> Pieces:
    """Cuts examples as their reader wants them.

    Args:
        examples: whole.
        reader: knows how.
        training: as for `Reader.cut`.
    """
    if not (reader.windows or training):  # a million texts need not be objects of their own
        return Pieces(examples, np.arange(len(examples)))
    pieces: list[Example] = []
    counts: list[int] = []
    for example in examples:
        some = reader.cut(example, training)
        pieces += some
        counts.append(len(some))
    return Pieces(pieces, np.repeat(np.arange(len(counts)), counts))


def first_pieces(owner: np.ndarray) -> np.ndarray:
    """The place of each example's first piece, [examples], where some pieces, or all of an example, may be missing."""
    return np.flatnonzero(np.diff(owner, prepend=-1))


def means(probabilities: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """The mean over the pieces of each example, in double precision.

    Args:
        probabilities: of each piece, [pieces, classes].
        owner: as in `Pieces`.

    Returns:
        The same type, [examples, classes]; exactly the given numbers where an example is one piece.
    """
    if not len(owner):
        return probabilities
    first = first_pieces(owner)
    counts = np.diff(first, append=len(owner))
    sums: np.ndarray = np.add.reduceat(probabilities.astype(np.float64), first)
    return (sums / counts[:, None]).astype(probabilities.dtype)
