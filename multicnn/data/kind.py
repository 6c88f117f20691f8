"""Guesses whether a data set holds pictures, sounds, texts or tagged words."""

from collections import Counter
from itertools import islice
from pathlib import Path

from multicnn.data.blob import Blob
from multicnn.data.conll import is_columns
from multicnn.data.endings import MANIFESTS, MEDIA, Kind, ending, is_archive
from multicnn.data.example import Trouble
from multicnn.data.headers import fits, pick
from multicnn.data.layout import locate
from multicnn.data.request import Columns
from multicnn.data.samples import KINDS
from multicnn.data.tables import read_table
from multicnn.data.tree import open_tree
from multicnn.errors import InputError, UsageError

_ROWS = 100  # of a manifest's paths; the first say what the others are
_FILES = 3  # of texts; likewise


def guess_kind(path: str, columns: Columns = Columns()) -> Kind:
    """The kind of a data set: by its sample, by its files' endings, or by its manifest's columns.

    Args:
        path: the data set.
        columns: the columns that the user named.

    Raises:
        UsageError: it is not there, or nothing tells.
    """
    if path.startswith("sample:"):
        return _known(KINDS.get(path.removeprefix("sample:"), "text"))
    found = locate(path)
    if isinstance(found, Path) and found.is_file() and not is_archive(found.name):
        return _known(_of_manifest(found.name, Blob(found), columns), path)
    tree = open_tree(found)
    endings = Counter(kind for name in tree.files for kind in MEDIA if ending(name) in MEDIA[kind])
    media = Counter({kind: endings[kind] for kind in ("image", "audio") if endings[kind]})
    if media:
        return _known(media.most_common(1)[0][0])
    manifests = [name for name in tree.files if ending(name) in MANIFESTS]
    if manifests:
        return _known(_of_manifest(manifests[0], tree.files[manifests[0]], columns), path)
    written = [name for name in tree.files if ending(name) in MEDIA["tokens"]]
    kinds = {_of_words(name, tree.files[name]) for name in written[:_FILES]}
    return _known("tokens" if "tokens" in kinds else "text" if kinds else None, path)


def _of_manifest(name: str, blob: Blob, columns: Columns) -> str | None:
    """Texts stand in a manifest themselves; of pictures and sounds it holds the paths."""
    if columns.text is not None:
        return "text"
    if ending(name) in MEDIA["tokens"]:
        return _of_words(name, blob)
    if ending(name) not in MANIFESTS:
        return None
    table = read_table(name, blob)
    able = [kind for kind in ("image", "audio", "text") if fits(table.columns, kind, columns)]
    if not able:  # the message about what a manifest of texts lacks names all that was looked for
        pick(name, table.columns, "text", columns, labelled=True)
    if "text" in able and pick(name, table.columns, "text", columns, labelled=True).text is not None:
        return "text"
    good = (row for row in islice(table.rows, _ROWS) if not isinstance(row, Trouble))
    seen = {ending(value) for _, row in good for value in row if value}
    return next((kind for kind in able if seen & MEDIA[kind]), None)


def _of_words(name: str, blob: Blob) -> str:
    """Texts, or words that are tagged in columns."""
    return "tokens" if is_columns(name, _content(name, blob).decode("utf-8", "replace")) else "text"


def _content(name: str, blob: Blob) -> bytes:
    try:
        return blob.read()
    except InputError as error:
        raise UsageError(f"{name}: {error}") from error


def _known(kind: str | None, path: str = "") -> Kind:
    """The kind, narrowed to those that there are."""
    match kind:
        case "image" | "audio" | "text" | "tokens":
            return kind
    raise UsageError(
        f"{path}: nothing tells whether it holds pictures, sounds, texts or tagged words; say it with --kind"
    )
