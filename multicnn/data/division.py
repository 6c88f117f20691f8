"""Writes a data set as a manifest with a split or fold column."""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from multicnn.data.duplicates import blob_of, groups_of
from multicnn.data.example import DataSet, Example
from multicnn.data.excerpt import Excerpt
from multicnn.data.files import write_atomically
from multicnn.data.splits import stratified_folds, stratified_split
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


def divide(data: DataSet, how: Division) -> list[Example]:
    """The examples with new splits or folds; parts that the data have stay, and only the training part is cut.

    Args:
        data: what to divide.
        how: into what.

    Raises:
        UsageError: there is nothing to do, the shares are impossible, or a part is there already.
    """
    examples = data.examples
    there = {example.split for example in examples} - {None}
    if how.folds is not None:
        if how.validation or how.test:
            raise UsageError("--folds makes folds instead of parts; leave --val and --test out")
        if there:
            raise UsageError(
                f"{data.origin} has parts ({', '.join(sorted(map(str, there)))}); folds need undivided data"
            )
        folds = stratified_folds(_labels(examples), groups_of(examples, how.group_duplicates), how.folds, how.seed)
        return [replace(e, fold=str(fold)) for e, fold in zip(examples, folds.tolist(), strict=True)]
    if not how.validation and not how.test:
        raise UsageError("nothing to do: say --val FRACTION, --test FRACTION or --folds N")
    for option, part, share in (("--val", "validation", how.validation), ("--test", "test", how.test)):
        if share and part in there:
            raise UsageError(f"{data.origin} has a {part} part already; leave {option} out")
    if how.validation + how.test >= 1:
        raise UsageError(f"--val {how.validation:g} and --test {how.test:g} leave nothing to train on")
    return _cut(examples, how)


def _cut(examples: list[Example], how: Division) -> list[Example]:
    """Cuts the test part first, then the validation part from the rest."""
    splits = np.array([example.split or "train" for example in examples], dtype=object)
    keys = np.array(groups_of(examples, how.group_duplicates))
    labels = np.array(_labels(examples), dtype=object)
    rest = 1.0
    for part, share in (("test", how.test), ("validation", how.validation)):
        free = np.flatnonzero(splits == "train")
        held = stratified_split(labels[free].tolist(), keys[free].tolist(), share / rest, how.seed)
        splits[free[held]] = part
        rest -= share
    return [replace(e, split=str(split)) for e, split in zip(examples, splits, strict=True)]


def _labels(examples: Sequence[Example]) -> list[str]:
    return [example.label or "" for example in examples]


def write_manifest(path: Path, kind: str, examples: Sequence[Example]) -> bool:
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
    columns = {
        "label": [e.label or "" for e in examples],
        "split": [e.split or "" for e in examples],
        "fold": [e.fold or "" for e in examples],
        "group": [e.group or "" for e in examples],
    }
    kept = {name: values for name, values in columns.items() if any(values)}
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links
    content = [e.content if isinstance(e.content, str) else _path(e, e.content, folder) for e in examples]
    spans = [e.content if isinstance(e.content, Excerpt) else None for e in examples]
    if any(spans):
        kept["start"] = [str(span.start) if span else "" for span in spans]
        kept["end"] = [str(span.end or "") if span else "" for span in spans]
    text = io.StringIO()
    # With every text quoted, line ends of all kinds inside it come back as they are.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if kind == "text" else csv.QUOTE_MINIMAL)
    writer.writerow(["text" if kind == "text" else "path", *kept])
    writer.writerows(zip(content, *kept.values(), strict=True))
    try:
        data = text.getvalue().encode()
    except UnicodeEncodeError as error:
        line = text.getvalue()[: error.start].rpartition("\n")[2] + "..."
        raise UsageError(f"a name that is no UTF-8 cannot stand in a manifest; rename {line}") from None
    write_atomically(path, data)
    return any((blob := blob_of(e.content)) is not None and blob.size is not None for e in examples)


def _path(example: Example, content: object, folder: Path) -> str:
    """A file's path from the manifest's folder, or a member's name."""
    blob = blob_of(content)
    assert blob is not None, "texts are written themselves"
    if blob.size is not None:
        return example.name.removesuffix(f":{content}")
    return Path(os.path.relpath(blob.path, folder)).as_posix()
