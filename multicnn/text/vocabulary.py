"""Which words get a number of their own. Torch-free."""

from collections.abc import Mapping

from multicnn.errors import UsageError


def build_vocabulary(counts: Mapping[str, int], min_count: int = 1, max_size: int | None = None) -> list[str]:
    """The words of the training texts, the most frequent first, equally frequent ones in alphabetical order.

    Args:
        counts: how often each word occurs in them.
        min_count: how often a word must occur.
        max_size: how many words stay at most; None for all.

    Returns:
        The same list for the same texts, whatever their order. The reader gives the first word the id 2.

    Raises:
        UsageError: no word is left.
    """
    words = sorted(
        (word for word, count in counts.items() if count >= min_count), key=lambda word: (-counts[word], word)
    )
    if not words:
        raise UsageError(
            f"no word occurs {min_count} times; lower text.vocabulary.min_count"
            if counts
            else "the texts have no words"
        )
    return words[:max_size]
