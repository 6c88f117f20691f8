"""Which example is used for what: training, validation and test part."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from multicnn.data.duplicates import groups_of
from multicnn.data.example import DataSet, Example, Trouble
from multicnn.data.layout import Columns, open_dataset
from multicnn.data.spans import both_tags
from multicnn.data.splits import stratified_folds, stratified_split
from multicnn.data.targets import not_classes
from multicnn.errors import UsageError
from multicnn.recipe import Data

Kind = Literal["image", "audio", "text", "tokens"]


@dataclass(slots=True)
class Parts:
    """The three parts of a data set, and what was noticed on the way."""

    train: list[Example]
    validation: list[Example]
    test: list[Example]
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """All classes, in natural order."""
        return classes([*self.train, *self.validation, *self.test])

    def named(self) -> dict[str, list[Example]]:
        """The parts by their names in split.csv and metrics.json."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def classes(examples: Sequence[Example]) -> list[str]:
    """The classes that occur, in natural order."""
    return DataSet("", "", list(examples)).labels


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
    parts = Parts([], [], [], opened.troubles, opened.notes)
    rest = _hold_out_fold(opened, data.fold, parts) if data.fold is not None else opened.examples
    for example in rest:
        {"validation": parts.validation, "test": parts.test}.get(example.split or "train", parts.train).append(example)
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
        if any(example.fold is None for example in opened.examples):
            raise UsageError(f"data.folds=column: {data.path} has examples without a fold; name the --fold-column")
    else:
        _deal(opened, data, seed if data.seed is None else data.seed)
    folds_of: dict[str, set[str]] = {}
    for example in opened.examples:
        folds_of.setdefault(str(example.label), set()).add(str(example.fold))
    lost = [label for label in opened.labels if len(folds_of[label]) < 2]
    if lost:
        raise UsageError(
            f"{data.path}: the classes {', '.join(lost)} lie in a single fold, so nothing is left to train on; "
            "leave them out or use other folds"
        )
    return opened


def _deal(opened: DataSet, data: Data, seed: int) -> None:
    """Gives each example one of `folds` new folds, 1 to the last; without those of a test part."""
    dealt = [example for example in opened.examples if example.split != "test"]
    if kept_back := len(opened.examples) - len(dealt):
        told = f"the test part of {data.path} ({kept_back:,} examples) stays out of the folds"
        opened.notes.append(f"{told}, which the other {len(dealt):,} make")
    opened.examples = dealt
    labels = [example.label or "" for example in opened.examples]
    folds = stratified_folds(labels, groups_of(opened.examples, data.group_duplicates), int(data.folds or 0), seed)
    opened.examples = [
        replace(example, fold=str(fold + 1)) for example, fold in zip(opened.examples, folds.tolist(), strict=True)
    ]


def _open_main(data: Data, kind: Kind) -> DataSet:
    """The data set that the classes are learned from.

    Raises:
        UsageError: its labels are no classes.
    """
    opened = _open(data.path, data, kind)
    if reason := not_classes([example.label or "" for example in opened.examples]):
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


def _hold_out_fold(opened: DataSet, fold: str, parts: Parts) -> list[Example]:
    """The examples outside the fold; those in it become the test part."""
    folds = sorted({example.fold for example in opened.examples if example.fold is not None})
    if fold not in folds:
        raise UsageError(
            f"data.fold: there is no fold {fold}; "
            + (f"the folds are {', '.join(folds)}" if folds else "the data has no fold column")
        )
    parts.test = [example for example in opened.examples if example.fold == fold]
    return [replace(example, split=None) for example in opened.examples if example.fold != fold]


def _whole(path: str, name: str, data: Data, kind: Kind, parts: Parts) -> list[Example]:
    """A data set of its own that is one part; of one that has this part itself, only that part."""
    if getattr(parts, name):
        raise UsageError(
            f"{data.path} has a {name} part of its own ({len(getattr(parts, name))} examples); leave {path} out"
        )
    opened = _open(path, data, kind)
    parts.troubles += opened.troubles
    return opened.part(name) or opened.examples


def _cut_validation(parts: Parts, data: Data, seed: int) -> None:
    labels = [example.label or "" for example in parts.train]
    held_out = stratified_split(labels, groups_of(parts.train, data.group_duplicates), float(data.validation), seed)
    parts.validation = [example for example, held in zip(parts.train, held_out, strict=True) if held]
    parts.train = [example for example, held in zip(parts.train, held_out, strict=True) if not held]


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


def split_table(parts: Parts, troubles: Sequence[Trouble]) -> str:
    """What split.csv says: every example's name, label and part; what could not be used, with the reason.

    Args:
        parts: the division.
        troubles: examples that were left out.
    """
    reasons = {trouble.name: trouble.reason for trouble in troubles}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "label", "split", "left_out"])
    for name, examples in parts.named().items():
        writer.writerows([example.name, example.label, name, reasons.get(example.name, "")] for example in examples)
    return text.getvalue()
