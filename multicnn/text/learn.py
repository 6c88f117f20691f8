"""Word vectors learned from texts alone, by gensim."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from multicnn.errors import UsageError
from multicnn.recipe_sections import Embed

# fastText has 2,000,000; so many take 80 MB at 100 numbers, and no sentence classifier's words fill them.
BUCKETS = 200_000
# gensim looks at no more words of one text than these; longer texts are given to it in pieces.
MOST_WORDS = 10_000
# Running words that are to be seen in all, as far as 20 epochs go.
SEEN = 10_000_000


def learn_vectors(
    corpus: Sequence[list[str]] | Path,
    settings: Embed,
    *,
    seed: int = 0,
    threads: int = 1,
    on_epoch: Callable[[int], None] = lambda number: None,
) -> Any:
    """Learns a vector for each word from the words around it.

    `skipgram` and `cbow`: Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality", with negative sampling. `fasttext`: Bojanowski et al. 2017, "Enriching Word Vectors with Subword
    Information", skip-gram over words and their 3 to 6 characters long pieces.

    Args:
        corpus: the words of each text; or a file with a text a line, its words between spaces, which is read by all
            threads at once and never as a whole.
        settings: method, length, window and so on, with the epochs in the place of `auto`.
        seed: with one thread, the same seed gives the same vectors.
        threads: how many learn at once.
        on_epoch: told the number of each finished epoch, from 1.

    Returns:
        gensim's KeyedVectors; the most frequent word comes first.

    Raises:
        UsageError: no word occurs often enough.
    """
    from gensim.models import FastText, Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    class Told(CallbackAny2Vec):  # type: ignore[misc]
        """Passes the end of an epoch on."""

        def __init__(self) -> None:
            self.done = 0

        def on_epoch_end(self, model: Any) -> None:
            self.done += 1
            on_epoch(self.done)

    subwords = settings.method == "fasttext"
    model = (FastText if subwords else Word2Vec)(
        sg=int(settings.method != "cbow"),
        vector_size=settings.length,
        window=settings.window,
        min_count=settings.min_count,
        epochs=int(settings.epochs),
        seed=seed,
        workers=threads,
        **({"bucket": BUCKETS} if subwords else {}),
    )
    given = {"corpus_file": str(corpus)} if isinstance(corpus, Path) else {"corpus_iterable": in_pieces(corpus)}
    model.build_vocab(**given)
    if not len(model.wv):
        raise UsageError(f"no word occurs {settings.min_count} times; lower the least count, or give more text")
    model.train(
        **given,
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=model.epochs,
        callbacks=[Told()],
    )
    return model.wv


def enough_epochs(words: int) -> int:
    """How often a text of so many words is seen: word2vec's 5 times where there is much of it, else more often."""
    return min(20, max(5, SEEN // max(words, 1)))


def in_pieces(texts: Sequence[list[str]]) -> list[list[str]]:
    """Texts of so many words at most; longer ones are cut into several."""
    return [words[start : start + MOST_WORDS] for words in texts for start in range(0, len(words), MOST_WORDS)]
