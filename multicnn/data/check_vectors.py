"""How many of the words of the texts have a pretrained vector."""

from collections import Counter
from collections.abc import Sequence

from multicnn.data.example import Example
from multicnn.data.report import Section, counted
from multicnn.data.word import Word
from multicnn.text.tokenize import tokenize
from multicnn.text.vectors import open_vectors

# Below this share of the running text, the vectors are those of another language or another spelling.
POOR = 0.8


def check_vectors(examples: Sequence[Example], path: str) -> Section:
    """The coverage of a file of vectors, and the most frequent words that it lacks.

    Args:
        examples: texts, or words that are tagged.
        path: of the vectors.

    Raises:
        UsageError: the file cannot be read.
    """
    known = open_vectors(path).key_to_index
    words = Counter(word for example in examples for word in _words(example))
    lacking = Counter({word: count for word, count in words.items() if word not in known})
    running, distinct = sum(words.values()), len(words)
    covered = 1 - lacking.total() / max(running, 1)
    section = Section("Word vectors")
    told = f"{covered:.1%} of the running text has a vector, and {distinct - len(lacking):,} of {distinct:,} words"
    section.ok(told) if covered >= POOR else section.warn(f"only {told}")
    if lacking:
        missing = [f"{word} ({count:,} times)" for word, count in lacking.most_common()]
        section.warn(f"{counted(len(lacking), 'word')} without a vector", missing)
    return section


def _words(example: Example) -> list[str]:
    """The words of a text as its network reads them; one that is tagged stays whole."""
    content = example.load()
    return [content.lower()] if isinstance(content, Word) else tokenize(str(content))
