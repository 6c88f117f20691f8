"""How good a model is on labelled data. Never imports torch."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from multicnn.bundle.read import open_bundle
from multicnn.data.decode import read_pieces
from multicnn.data.endings import part_of
from multicnn.data.example import Trouble
from multicnn.data.examples import DataSet, Examples
from multicnn.data.layout import open_dataset
from multicnn.data.order import natural_key
from multicnn.data.recordings import first_pieces, means
from multicnn.data.request import Columns
from multicnn.data.word import sentence_starts
from multicnn.errors import UsageError, did_you_mean
from multicnn.evaluation.metrics import metrics
from multicnn.inference.predictor import Predictor

BATCH = 64  # part of the definition: the same batches give the same figures to the last bit
NAMED = 10  # unknown labels that an error names


def measure(
    predictor: Predictor,
    arrays: Iterable[np.ndarray],
    truth: Sequence[int] | np.ndarray,
    owner: np.ndarray,
    starts: np.ndarray | None = None,
) -> dict[str, Any]:
    """The figures of a model on examples that have been read.

    Args:
        predictor: the exported model.
        arrays: the pieces of the examples, read by `predictor.reader`, in order.
        truth: the number of each piece's class, as many as there are arrays.
        owner: as in `multicnn.data.recordings.Pieces`.
        starts: from `multicnn.data.word.sentence_starts`.

    Returns:
        As `multicnn.evaluation.metrics.metrics`.
    """
    probabilities = means(classify(predictor, arrays), owner)
    return metrics(predictor.labels, np.asarray(truth)[first_pieces(owner)], probabilities, starts)


def classify(predictor: Predictor, arrays: Iterable[np.ndarray]) -> np.ndarray:
    """The probabilities of many examples, [examples, classes], in batches of `BATCH` in the given order."""
    remaining = iter(arrays)
    results = [np.empty((0, len(predictor.labels)), np.float32)]
    while batch := list(islice(remaining, BATCH)):
        results.append(predictor.probabilities(batch))
    return np.concatenate(results)


def evaluate(
    model: str | Path,
    data: str,
    *,
    split: str = "test",
    columns: Columns = Columns(),
    root: str | None = None,
    notes: list[str] | None = None,
) -> tuple[dict[str, Any], list[Trouble]]:
    """Measures a model on one part of a data set.

    Args:
        model: a run, a bundle or a .onnx file.
        data: labelled data in any form.
        split: the part to use (`train`, `validation`, `test`, or `all`). Data without parts are used whole.
        columns: names of a manifest's columns.
        root: where a manifest's paths start from.
        notes: gets what the user should know and is no fault.

    Returns:
        The figures, and the examples (or pieces of them) that could not be used and are not in the figures.

    Raises:
        UsageError: the data has labels that the model does not know, lacks the part, or has nothing that can be read.
    """
    notes = notes if notes is not None else []
    predictor = Predictor(open_bundle(model))
    dataset = open_dataset(data, predictor.pipeline, columns=columns, root=root)
    notes += dataset.notes
    examples = _part(dataset, split, notes)
    numbers = _numbers(predictor.labels, examples, str(model))
    troubles = list(dataset.troubles)
    pieces, read = read_pieces(examples, predictor.reader)
    kept: list[int] = []

    def readable() -> Iterator[np.ndarray]:
        for place, one in zip(pieces.owner.tolist(), read, strict=True):
            if isinstance(one, Trouble):
                troubles.append(one)
            else:
                kept.append(place)
                yield one

    probabilities = classify(predictor, readable())
    if not kept:
        raise UsageError(f"{data}: none of the {len(examples):,} examples can be read; {troubles[0]}")
    owner = np.array(kept)
    truth = np.array(numbers)[owner[first_pieces(owner)]]
    return metrics(predictor.labels, truth, means(probabilities, owner), sentence_starts(examples)), troubles


def _part(dataset: DataSet, split: str, notes: list[str]) -> Examples:
    """The examples to measure on."""
    wanted = "all" if split == "all" else part_of(split)
    if wanted is None:
        parts = ("train", "validation", "test", "all")
        raise UsageError(f"--split {split} is none of {', '.join(parts)}{did_you_mean(split, parts)}")
    there = [part for part in dict.fromkeys(dataset.examples.splits) if part is not None]
    if wanted == "all":
        return dataset.examples
    if not there:
        notes.append(f"{dataset.origin} has no parts; all {len(dataset.examples):,} examples are used")
        return dataset.examples
    if wanted not in there:
        listed = ", ".join(f"{name} ({len(dataset.part(name)):,})" for name in there)
        raise UsageError(f"{dataset.origin} has no {wanted} part, but {listed}; choose with --split, or --split all")
    return dataset.part(wanted)


def _numbers(labels: list[str], examples: Examples, model: str) -> list[int]:
    """The number of each example's class.

    Raises:
        UsageError: a label that the model does not know; each is named with the nearest one that it knows.
    """
    number = {label: position for position, label in enumerate(labels)}
    found = {label for label in examples.labels.occurring() if label is not None}
    unknown = sorted(found - number.keys(), key=natural_key)
    if unknown:
        named = [f"{label!r}{did_you_mean(label, labels).replace(';', ',').rstrip('?')}" for label in unknown[:NAMED]]
        more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
        known = ", ".join(map(repr, labels[:NAMED])) + (", ..." if len(labels) > NAMED else "")
        raise UsageError(f"{model} does not know the labels {', '.join(named)}{more}; it knows {known}")
    return [number[label] for label in examples.labels if label is not None]
