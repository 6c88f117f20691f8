"""From a corpus to a file of word vectors, and from a word to those that are like it."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from multicnn.data.example import Trouble
from multicnn.errors import UsageError, did_you_mean
from multicnn.recipe import fill
from multicnn.recipe_sections import Embed
from multicnn.text.corpus import write_words
from multicnn.text.learn import enough_epochs, learn_vectors
from multicnn.text.vectors import write_vectors

# The words that a misspelt one is compared with: the most frequent ones, so that it takes no time.
COMPARED = 50_000


def embed_corpus(
    corpus: str,
    output: Path,
    settings: Embed,
    *,
    tokenizer: str,
    text_column: str | None,
    threads: int,
    seed: int,
    note: Callable[[str], None],
) -> list[Trouble]:
    """Learns vectors and writes them. The words are tokenised once, into a temporary file that all threads read.

    Args:
        corpus: as in `write_words`.
        output: the file to write, as in `write_vectors`.
        settings: how they are learned; `auto` is replaced in place.
        tokenizer: a mode of `multicnn.text.tokenize`.
        text_column: of a manifest.
        threads: how many learn at once.
        seed: of all that is random.
        note: told what is going on, a line at a time.

    Returns:
        The texts that were left out.
    """
    troubles: list[Trouble] = []
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="multicnn-") as file:
        counts = write_words(corpus, tokenizer, file, troubles, text_column)
        file.flush()
        note(f"{corpus}: {counts.texts:,} texts, {counts.words:,} words")
        fill(settings, epochs=enough_epochs(counts.words))
        began = time.monotonic()

        def told(epoch: int) -> None:
            speed = epoch * counts.words / max(time.monotonic() - began, 1e-9)
            note(f"epoch {epoch}/{settings.epochs}  {speed:,.0f} words/s")

        vectors = learn_vectors(Path(file.name), settings, seed=seed, threads=threads, on_epoch=told)
    note(f"{len(vectors):,} words have a vector of {vectors.vector_size} numbers")
    write_vectors(vectors, output)
    return troubles


def nearest(vectors: Any, word: str, count: int) -> dict[str, float]:
    """The words whose vectors have the highest cosine with a word's, the nearest first.

    Args:
        vectors: gensim's KeyedVectors.
        word: as they have it; vectors with pieces of words take any.
        count: how many.

    Raises:
        UsageError: the word has no vector, or there is no other one.
    """
    if word not in vectors:
        near = did_you_mean(word, vectors.index_to_key[:COMPARED])
        raise UsageError(f"there is no vector of {word}{near or '; words are case-folded by the default tokenizer'}")
    found = {other: round(float(cosine), 6) for other, cosine in vectors.most_similar(word, topn=count)}
    if not found:
        raise UsageError(f"{word} is the only word that has a vector")
    return found
