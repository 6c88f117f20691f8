"""Looks for what would spoil a training: the layout, the classes, the files, duplicates, and what is in them."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from multicnn.data.check_content import check_contents
from multicnn.data.check_copies import warn_of_copies
from multicnn.data.check_tags import check_sentences, check_tags, whole_sentences
from multicnn.data.check_vectors import check_vectors
from multicnn.data.duplicates import content_numbers
from multicnn.data.endings import Kind
from multicnn.data.example import Example
from multicnn.data.examples import DataSet, Examples
from multicnn.data.layout import open_dataset
from multicnn.data.order import natural_key
from multicnn.data.report import Report, Section, counted
from multicnn.data.request import Columns
from multicnn.data.targets import not_classes
from multicnn.errors import UsageError

FEW = 10  # training examples of a class, below which little can be learnt of it
IMBALANCE = 10  # times as many examples in the largest class as in the smallest
_PARTS = ("train", "validation", "test")


def check(
    path: str, kind: Kind, *, columns: Columns = Columns(), root: str | None = None, vectors: str | None = None
) -> Report:
    """Reads a whole data set and reports what it finds.

    Args:
        path: the data set, in any form.
        kind: what its examples are.
        columns: the names of a manifest's columns.
        root: where a manifest's paths lead.
        vectors: a file of word vectors that the texts or the tagged words are to be trained with.

    Raises:
        UsageError: it cannot be opened at all.
    """
    if vectors is not None and kind not in ("text", "tokens"):
        raise UsageError("--vectors has no effect on pictures and sounds; leave it out")
    data = open_dataset(path, kind, columns=columns, root=root)
    sections = [_layout(data), *(_of_words(data) if kind == "tokens" else _of_classes(data, kind))]
    if vectors is not None:
        sections.append(check_vectors(data.examples, vectors))
    return Report(path, kind, sections)


def _of_classes(data: DataSet, kind: Kind) -> list[Section]:
    """What may be wrong with examples that have a class each."""
    return [_classes(data), *check_contents(data.examples, kind), _duplicates(data.examples, kind)]


def _of_words(data: DataSet) -> list[Section]:
    """What may be wrong with tagged words: most are outside of all spans, and sentences are divided as wholes."""
    return [check_tags(data), check_sentences(data), _duplicates(whole_sentences(data), "text")]


def _layout(data: DataSet) -> Section:
    """The parts, the notes, and every example that was left out."""
    section = Section("Layout")
    one, whole, label = ("word", "sentence", "tag") if data.kind == "tokens" else ("example", "example", "class")
    labels = counted(len(data.labels), label, "classes" if label == "class" else None)
    section.ok(f"{counted(len(data.examples), one)} in {labels}")
    parts = Counter(data.examples.splits)
    if parts.keys() - {None}:
        section.ok("parts: " + ", ".join(f"{part} {parts[part]:,}" for part in _PARTS if parts[part]))
    else:
        section.ok("no parts; train cuts a validation part by itself")
    if parts[None] and len(parts) > 1:
        section.warn(f"{counted(parts[None], one)} in no part; they count as training examples")
    folds = data.examples.folds.occurring() - {None}
    if folds:
        section.ok(counted(len(folds), "fold"))
    for note in data.notes:
        section.warn(note)
    if data.troubles:
        left_out = counted(len(data.troubles), whole)
        section.broken(f"{left_out} cannot be used", [str(trouble) for trouble in data.troubles])
    return section


def _classes(data: DataSet) -> Section:
    """Too few classes or examples, imbalance, classes that a part lacks, and labels that look alike."""
    section = Section("Classes")
    splits = data.examples.splits
    training = Counter(map(str, data.examples.labels.take(splits.are("train") | splits.are(None))))
    if len(data.labels) < 2:
        section.broken("a classifier needs at least two classes", data.labels)
    elif len(data.labels) <= 20:
        section.ok(", ".join(f"{label} {training[label]:,}" for label in data.labels))
    if reason := not_classes(data.examples.labels):
        section.broken(reason)
    if lost := [label for label in data.labels if training and not training[label]]:
        section.broken(f"{counted(len(lost), 'class', 'classes')} without a training example", lost)
    if few := [f"{label}: {training[label]}" for label in data.labels if 0 < training[label] < FEW]:
        section.warn(f"{counted(len(few), 'class', 'classes')} with fewer than {FEW} training examples", few)
    for part in ("validation", "test"):
        there = data.part(part).labels.occurring()
        if there and (missing := [label for label in data.labels if label not in there]):
            section.warn(f"{counted(len(missing), 'class', 'classes')} without a {part} example", missing)
    _imbalance(section, training)
    _alike(section, data.labels)
    return section


def _imbalance(section: Section, training: Counter[str]) -> None:
    if len(training) < 2:
        return
    (most, largest), (least, smallest) = training.most_common()[0], training.most_common()[-1]
    if largest >= IMBALANCE * smallest:
        section.warn(
            f"{most} has {largest / smallest:.0f} times as many training examples as {least}; "
            "training.class_balance helps"
        )
    else:
        section.ok(f"balanced within a factor of {largest / smallest:.1f}")


def _alike(section: Section, labels: list[str]) -> None:
    """Labels that differ only in case or in white space are rarely meant as two classes."""
    alike: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[" ".join(label.casefold().split())].append(label)
    if same := [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]:
        section.warn("labels that differ only in case or white space", same)


def _duplicates(examples: Examples, kind: Kind) -> Section:
    """The same content twice: in one part, across parts, or under two labels; of sounds, changed copies too."""
    section = Section("Duplicates")
    first = content_numbers(examples)
    if kind == "audio":
        warn_of_copies(section, examples.take(np.unique(first)))
    copies = np.flatnonzero(first != np.arange(len(first)))
    same = {place: [examples[place]] for place in np.unique(first[copies]).tolist()}
    for place in copies.tolist():
        same[int(first[place])].append(examples[place])
    groups = list(same.values())
    torn = [group for group in groups if _differ(e.label for e in group)]
    across = [group for group in groups if _differ(e.split or "train" for e in group)]
    named = {id(group) for group in torn + across}
    within = [group for group in groups if id(group) not in named]
    if torn:
        section.warn(
            f"the same content with different labels, {counted(len(torn), 'time')}", list(map(_labelled, torn))
        )
    if across:
        section.warn(
            f"the same content in different parts, {counted(len(across), 'time')}; figures on them are too good",
            [" = ".join(f"{e.name} ({e.split or 'train'})" for e in group) for group in across],
        )
    if within:
        extra = sum(len(group) - 1 for group in within)
        section.warn(
            f"{counted(extra, 'duplicate')} within a part; train keeps them on one side of its own split",
            [" = ".join(sorted((e.name for e in group), key=natural_key)) for group in within],
        )
    if not groups:
        section.ok("every content occurs once")
    return section


def _differ(values: Iterable[str | None]) -> bool:
    return len(set(values)) > 1


def _labelled(group: list[Example]) -> str:
    return " = ".join(f"{e.name} ({e.label})" for e in group)
