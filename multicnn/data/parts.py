"""Which example is used for what: training, validation and test part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import Literal

from multicnn.data.duplicates import groups_of
from multicnn.data.example import Trouble
from multicnn.data.examples import DataSet, Examples, classes
from multicnn.data.files import csv_pieces
from multicnn.data.layout import Columns, open_dataset
from multicnn.data.spans import both_tags
from multicnn.data.splits import stratified_folds, stratified_split
from multicnn.data.strings import Values
from multicnn.data.targets import not_classes
from multicnn.errors import UsageError
from multicnn.recipe import Data

Kind = Literal["image", "audio", "text", "tokens"]


@dataclass(slots=True)
class Parts:
    """The three parts of a data set, and what was noticed on the way."""

    train: Examples = field(default_factory=Examples.of)
    validation: Examples = field(default_factory=Examples.of)
    test: Examples = field(default_factory=Examples.of)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """All classes, in natural order."""
        return classes(self.train, self.validation, self.test)

    def named(self) -> dict[str, Examples]:
        """The parts by their names in split.csv and metrics.json."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def divide(data: Data, kind: Kind, seed: int) -> Parts:
    """Opens the data and divides it as the recipe says.

    A part that the data has, or that the recipe names, is taken as it is. Without a validation part, one is cut from
    the training part: stratified, seeded, with equal content (and equal group) on one side only.

    Args:
        data: the recipe's section.
        kind: the pipeline.
        seed: of the cut, where the recipe names no other for it.

    Raises:
        UsageError: the layout is wrong, the labels are no classes, there are fewer than two, or one has nothing to
            train on.
    """
    seed = seed if data.seed is None else data.seed
    opened = _open_main(data, kind) if data.folds is None else open_folds(data, kind, seed)
    parts = Parts(troubles=opened.troubles, notes=opened.notes)
    rest = _hold_out_fold(opened, data.fold, parts) if data.fold is not None else opened.examples
    validation, test = rest.splits.are("validation"), rest.splits.are("test")
    parts.train, parts.validation = rest.take(~(validation | test)), rest.take(validation)
    if data.fold is None:
        parts.test = rest.take(test)
    if data.test is not None:
        parts.test = _whole(data.test, "test", data, kind, parts)
    if isinstance(data.validation, str):
        parts.validation = _whole(data.validation, "validation", data, kind, parts)
    elif not parts.validation:
        _cut_validation(parts, data, seed)
    elif "validation" in data.model_fields_set:
        parts.notes.append(
            f"{data.path} has a validation part of its own; data.validation={data.validation} has no effect"
        )
    _check(parts, data.path, tags=kind == "tokens")
    return parts


def open_folds(data: Data, kind: Kind, seed: int) -> DataSet:
    """Opens the data with a fold for each example: the manifest's own, or dealt out by class.

    A test part is left out of new folds: it is for the end, and what the folds tell is looked at before.
    Equal content and equal groups are in one fold, so no fold is measured on what it was trained on.

    Args:
        data: the recipe's section, with `folds`.
        kind: the pipeline.
        seed: deals, where the recipe names no other for it.

    Raises:
        UsageError: the folds cannot be made, or a class lies in one of them only.
    """
    opened = _open_main(data, kind)
    if data.folds == "column":
        if opened.examples.folds.are(None).any():
            raise UsageError(f"data.folds=column: {data.path} has examples without a fold; name the --fold-column")
    else:
        _deal(opened, data, seed if data.seed is None else data.seed)
    folds_of: dict[str, set[str]] = {}
    for label, fold in zip(opened.examples.labels, opened.examples.folds, strict=True):
        folds_of.setdefault(str(label), set()).add(str(fold))
    lost = [label for label in opened.labels if len(folds_of[label]) < 2]
    if lost:
        raise UsageError(
            f"{data.path}: the classes {', '.join(lost)} lie in a single fold, so nothing is left to train on; "
            "leave them out or use other folds"
        )
    return opened


def _deal(opened: DataSet, data: Data, seed: int) -> None:
    """Gives each example one of `folds` new folds, 1 to the last; without those of a test part."""
    dealt = opened.examples.take(~opened.examples.splits.are("test"))
    if kept_back := len(opened.examples) - len(dealt):
        told = f"the test part of {data.path} ({kept_back:,} examples) stays out of the folds"
        opened.notes.append(f"{told}, which the other {len(dealt):,} make")
    folds = stratified_folds(dealt.labels, groups_of(dealt, data.group_duplicates), int(data.folds or 0), seed)
    opened.examples = replace(dealt, folds=Values.of(map(str, folds + 1)))


def _open_main(data: Data, kind: Kind) -> DataSet:
    """The data set that the classes are learned from.

    Raises:
        UsageError: its labels are no classes.
    """
    opened = _open(data.path, data, kind)
    if reason := not_classes(opened.examples.labels):
        raise UsageError(f"{data.path}: {reason}")
    return opened


def _open(path: str, data: Data, kind: Kind) -> DataSet:
    columns = Columns(
        text=data.text_column,
        path=data.path_column,
        label=data.label_column,
        split=data.split_column,
        fold=data.fold_column,
        group=data.group_column,
    )
    return open_dataset(path, kind, columns=columns, root=data.root)


def _hold_out_fold(opened: DataSet, fold: str, parts: Parts) -> Examples:
    """The examples outside the fold; those in it become the test part."""
    folds = sorted(name for name in opened.examples.folds.occurring() if name is not None)
    if fold not in folds:
        raise UsageError(
            f"data.fold: there is no fold {fold}; "
            + (f"the folds are {', '.join(folds)}" if folds else "the data has no fold column")
        )
    held = opened.examples.folds.are(fold)
    parts.test, rest = opened.examples.take(held), opened.examples.take(~held)
    return replace(rest, splits=Values.of(repeat(None, len(rest))))


def _whole(path: str, name: str, data: Data, kind: Kind, parts: Parts) -> Examples:
    """A data set of its own that is one part; of one that has this part itself, only that part."""
    if getattr(parts, name):
        raise UsageError(
            f"{data.path} has a {name} part of its own ({len(getattr(parts, name))} examples); leave {path} out"
        )
    opened = _open(path, data, kind)
    parts.troubles += opened.troubles
    return opened.part(name) or opened.examples


def _cut_validation(parts: Parts, data: Data, seed: int) -> None:
    groups = groups_of(parts.train, data.group_duplicates)
    held = stratified_split(parts.train.labels, groups, float(data.validation), seed)
    parts.validation, parts.train = parts.train.take(held), parts.train.take(~held)


def _check(parts: Parts, path: str, tags: bool) -> None:
    left_out = f" ({len(parts.troubles):,} left out; the first: {parts.troubles[0]})" if parts.troubles else ""
    known = classes(parts.train)
    known = both_tags(known) if tags else known
    if len(parts.labels) < 2:
        raise UsageError(
            f"{path}: a classifier needs at least two classes, here is {', '.join(parts.labels) or 'none'}{left_out}"
        )
    lost = [label for label in parts.labels if label not in known]
    if lost:
        raise UsageError(
            f"{path}: nothing to train on for the classes {', '.join(lost)}: "
            f"all of their examples are for validation or test{left_out}"
        )
    if not parts.validation:
        raise UsageError(
            f"{path}: too few examples ({len(parts.train)}) to keep some back for validation; name some with --val PATH"
            f"{left_out}"
        )


def split_table(parts: Parts, troubles: Sequence[Trouble]) -> Iterator[str]:
    """What split.csv says, piece by piece: every example's name, label and part; what could not be used, and why.

    Args:
        parts: the division.
        troubles: examples that were left out.
    """
    reasons = {trouble.name: trouble.reason for trouble in troubles}
    rows = (
        (name, label, part, reasons.get(name, ""))
        for part, examples in parts.named().items()
        for name, label in zip(examples.names, examples.labels, strict=True)
    )
    return csv_pieces(chain([("name", "label", "split", "left_out")], rows))
