"""Plain text to learn word vectors from: lines of a file, or the training texts of a data set. Torch-free."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from multicnn.data.example import Content, Trouble
from multicnn.data.files import open_plain
from multicnn.data.layout import Columns, open_dataset
from multicnn.data.tables import FASTTEXT
from multicnn.errors import InputError, UsageError
from multicnn.text.learn import in_pieces
from multicnn.text.read import decode
from multicnn.text.tokenize import BETWEEN_SPACES, tokenize

LINES = (".txt", ".gz")


class Counts(NamedTuple):
    """How much text there was."""

    texts: int
    words: int


def write_words(
    corpus: str, tokenizer: str, file: IO[str], troubles: list[Trouble], text_column: str | None = None
) -> Counts:
    """Tokenises a corpus into a file, a text a line with spaces between the words; memory stays constant over lines.

    Args:
        corpus: a .txt or .gz file with a text a line, or a data set, whose validation and test part are left alone.
        tokenizer: a mode whose tokens have no spaces in them.
        file: what is written to.
        troubles: gets the texts that cannot be read.
        text_column: of a manifest.

    Raises:
        UsageError: there is no such corpus, it has no word, or the tokenizer keeps spaces.
    """
    if tokenizer not in BETWEEN_SPACES:
        raise UsageError(f"word vectors are learned with the tokenizer {' or '.join(BETWEEN_SPACES)}, not {tokenizer}")
    texts = words = 0
    for name, content in _texts(corpus, troubles, text_column):
        try:
            tokens = tokenize(decode(content), tokenizer)
        except InputError as error:
            troubles.append(Trouble(name, str(error)))
            continue
        file.writelines(f"{' '.join(piece)}\n" for piece in in_pieces([tokens]))
        texts, words = texts + 1, words + len(tokens)
    if not words:
        raise UsageError(f"{corpus} has no words")
    return Counts(texts, words)


def _texts(corpus: str, troubles: list[Trouble], text_column: str | None) -> Iterator[tuple[str, Content]]:
    """Each text with its name."""
    path = Path(corpus)
    try:
        if text_column is None and path.is_file() and path.suffix in LINES and not _is_labelled(path):
            with open_plain(path) as file:
                yield from ((f"{corpus}:{number}", line) for number, line in enumerate(file, start=1))
            return
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{corpus} cannot be read: {error}") from error
    data = open_dataset(corpus, "text", columns=Columns(text=text_column), labelled=False)
    troubles += data.troubles
    yield from ((one.name, one.load()) for one in data.examples if one.split in (None, "train"))


def _is_labelled(path: Path) -> bool:
    """Whether this is fastText's format, or an archive: a data set, and not just lines."""
    if ".tar" in path.suffixes:
        return True
    with open_plain(path) as file:
        return file.read(len(FASTTEXT)) == FASTTEXT.encode()
