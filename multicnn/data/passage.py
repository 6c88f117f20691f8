"""A stretch of a text, which was tokenised with the rest of it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Some tokens of a text, one behind another.

    Args:
        ids: as the text's reader looked them up, int32 [tokens].
    """

    ids: np.ndarray
