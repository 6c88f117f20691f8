"""Writes a data set as a manifest with a split or fold column."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from multicnn.data.duplicates import blob_of, groups_of
from multicnn.data.example import Example
from multicnn.data.examples import DataSet, Examples
from multicnn.data.excerpt import Excerpt
from multicnn.data.files import csv_pieces, write_pieces
from multicnn.data.splits import stratified_folds, stratified_split
from multicnn.data.strings import Values
from multicnn.errors import UsageError


@dataclass(frozen=True, slots=True)
class Division:
    """How to divide.

    Args:
        validation: the share for validation of the examples that are in no other part yet, from 0 up to 1.
        test: the share of the same examples for testing.
        folds: how many folds instead of parts, or None.
        seed: the same seed divides the same data in the same way.
        group_duplicates: whether examples with the same content stay together.
    """

    validation: float = 0.0
    test: float = 0.0
    folds: int | None = None
    seed: int = 0
    group_duplicates: bool = True


def divide(data: DataSet, how: Division) -> Examples:
    """The examples with new splits or folds; parts that the data have stay, and only the training part is cut.

    Args:
        data: what to divide.
        how: into what.

    Raises:
        UsageError: there is nothing to do, the shares are impossible, or a part is there already.
    """
    examples = data.examples
    there = examples.splits.occurring() - {None}
    if how.folds is not None:
        if how.validation or how.test:
            raise UsageError("--folds makes folds instead of parts; leave --val and --test out")
        if there:
            raise UsageError(
                f"{data.origin} has parts ({', '.join(sorted(map(str, there)))}); folds need undivided data"
            )
        folds = stratified_folds(examples.labels, groups_of(examples, how.group_duplicates), how.folds, how.seed)
        return replace(examples, folds=Values.of(map(str, folds)))
    if not how.validation and not how.test:
        raise UsageError("nothing to do: say --val FRACTION, --test FRACTION or --folds N")
    for option, part, share in (("--val", "validation", how.validation), ("--test", "test", how.test)):
        if share and part in there:
            raise UsageError(f"{data.origin} has a {part} part already; leave {option} out")
    if how.validation + how.test >= 1:
        raise UsageError(f"--val {how.validation:g} and --test {how.test:g} leave nothing to train on")
    return _cut(examples, how)


def _cut(examples: Examples, how: Division) -> Examples:
    """Cuts the test part first, then the validation part from the rest."""
    splits = np.array([split or "train" for split in examples.splits], dtype=object)
    groups = groups_of(examples, how.group_duplicates)
    rest = 1.0
    for part, share in (("test", how.test), ("validation", how.validation)):
        free = np.flatnonzero(splits == "train")
        held = stratified_split(examples.labels.take(free), groups[free], share / rest, how.seed)
        splits[free[held]] = part
        rest -= share
    return replace(examples, splits=Values.of(splits))


def write_manifest(path: Path, kind: str, examples: Examples) -> bool:
    """Writes examples as a CSV manifest.

    Files are written relative to the manifest's folder; members of archives by their names in the archive.

    Args:
        path: the manifest.
        kind: texts are written themselves, pictures and sounds by path.
        examples: what to write; columns that no example has a value for are left out.

    Returns:
        Whether the paths are names in archives, which `--root` must lead to.

    Raises:
        UsageError: a file's name is no UTF-8.
        MulticnnError: the manifest cannot be written.
    """
    columns = {"label": examples.labels, "split": examples.splits, "fold": examples.folds, "group": examples.groups}
    kept = {name: values for name, values in columns.items() if values.occurring() - {None, ""}}
    timed = any(isinstance(content, Excerpt) for content in examples.contents)
    header = ("text" if kind == "text" else "path", *kept, *(("start", "end") if timed else ()))
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links
    rows = (
        (_written(example, folder), *values, *_seconds(example, timed))
        for example, *values in zip(examples, *kept.values(), strict=True)
    )
    write_pieces(path, _encoded(csv_pieces(chain([header], rows), quote_all=kind == "text")))
    return any((blob := blob_of(content)) is not None and blob.size is not None for content in examples.contents)


def _encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    """As UTF-8.

    Raises:
        UsageError: a name is none.
    """
    for piece in pieces:
        try:
            yield piece.encode()
        except UnicodeEncodeError as error:
            line = piece[: error.start].rpartition("\n")[2] + "..."
            raise UsageError(f"a name that is no UTF-8 cannot stand in a manifest; rename {line}") from None


def _seconds(example: Example, timed: bool) -> tuple[object, ...]:
    """The columns `start` and `end`, where they are there."""
    if not timed:
        return ()
    span = example.content
    return (span.start, span.end or "") if isinstance(span, Excerpt) else ("", "")


def _written(example: Example, folder: Path) -> str:
    """A text itself, a file's path from the manifest's folder, or a member's name."""
    if isinstance(example.content, str):
        return example.content
    blob = blob_of(example.content)
    assert blob is not None, "passages are cut from texts, and stand in no data set"
    if blob.size is not None:
        return example.name.removesuffix(f":{example.content}")
    return Path(os.path.relpath(blob.path, folder)).as_posix()
