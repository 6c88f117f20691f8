"""From texts to the ids of their tokens, many at a time."""

from typing import TYPE_CHECKING

import numpy as np

from multicnn.data.decode import Decoded
from multicnn.data.example import Trouble
from multicnn.data.examples import Examples
from multicnn.data.processes import WORTH, shared
from multicnn.data.ragged import Packer

if TYPE_CHECKING:  # pipelines use data
    from multicnn.pipeline import ManyReader


def collect_texts(examples: Examples, reader: "ManyReader", workers: int) -> Decoded:
    """As `multicnn.data.decode.collect`, many texts at a time, which is much quicker.

    Args:
        examples: texts, each of which is read as a whole.
        reader: reads them.
        workers: processes that share them.
    """
    ids, texts = Packer(), examples.texts
    reasons: dict[int, str] = {}
    stretches = texts.stretches(WORTH)
    for some, wrong in shared(lambda stretch: reader.read_many(texts[stretch]), stretches, workers):
        reasons |= {ids.count + place: reason for place, reason in wrong.items()}
        ids.extend(some)
    troubles = [Trouble(examples.names[place], reason) for place, reason in reasons.items()]
    owner = np.delete(np.arange(len(examples)), list(reasons))
    return Decoded(ids.packed().without_empty(), examples.labels.take(owner), owner, troubles)
