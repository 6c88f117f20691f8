"""The word vectors that a trained model has learned. Torch-free."""

from pathlib import Path
from typing import Any

import numpy as np

from multicnn.bundle.read import WEIGHTS, open_bundle, verify
from multicnn.errors import UsageError
from multicnn.text.keyed_vectors import keyed_vectors
from multicnn.text.read import FIRST_WORD
from multicnn.text.vectors import open_vectors

# The learned vectors, and those that were kept where there are no others.
NAMES = ("network.features.embedding.weight", "network.features.embedding.static")


def vectors_of(source: str) -> Any:
    """The vectors of a run or a bundle, or of a file.

    Args:
        source: a folder, or what `open_vectors` takes.

    Raises:
        UsageError: it is none of these, or has no word vectors.
    """
    return learned_vectors(source) if Path(source).is_dir() else open_vectors(source)


def learned_vectors(run: str) -> Any:
    """The vectors of the words of a trained model, in the order of its vocabulary.

    Args:
        run: a run, or its bundle.

    Returns:
        gensim's KeyedVectors, without padding and unknown words, and without tokens that are white space, which the
        formats of word vectors cannot hold.

    Raises:
        UsageError: it is no run, or its network has no word vectors.
    """
    from safetensors import safe_open

    bundle = open_bundle(run)
    if bundle.meta["pipeline"] != "text":
        raise UsageError(f"{run} classifies {bundle.meta['pipeline']}s and has no word vectors; name a run for texts")
    if bundle.folder is None:
        raise UsageError(f"{run} is a model alone; its word vectors lie beside it in {WEIGHTS}: name the run")
    verify(bundle.folder, bundle.meta, WEIGHTS)
    with safe_open(bundle.folder / WEIGHTS, framework="np") as file:
        name = next((name for name in NAMES if name in file.keys()), None)  # noqa: SIM118 (no mapping)
        if name is None:
            raise UsageError(f"{run} has no word vectors of its own: it reads characters, or is an ensemble")
        matrix: np.ndarray = file.get_tensor(name)[FIRST_WORD:]
    words = bundle.meta["reader"]["vocabulary"]
    kept = [place for place, word in enumerate(words) if not any(sign.isspace() for sign in word)]
    return keyed_vectors([words[place] for place in kept], matrix[kept])
