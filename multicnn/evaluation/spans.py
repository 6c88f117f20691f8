"""Precision, recall and F1 of spans: one is right if its border and its type are."""

from collections import Counter
from typing import Any

import numpy as np

from multicnn.data.spans import Span, spans


def span_figures(labels: list[str], truth: np.ndarray, predicted: np.ndarray, starts: np.ndarray) -> dict[str, Any]:
    """Figures over all spans, and for each type; a rate without a denominator is 0.

    Args:
        labels: the tags, by their numbers.
        truth: the number of each word's tag, [words] int.
        predicted: likewise.
        starts: where sentences begin, bool [words].

    Returns:
        span_precision, span_recall, span_f1, spans (how many there are), per_type {type: {precision, recall, f1,
        count}}.
    """
    true, found = _spans(labels, truth, starts), _spans(labels, predicted, starts)
    counts = [Counter(span.kind for span in some) for some in (true & found, found, true)]
    overall = _rates(*(count.total() for count in counts))
    kinds = sorted(counts[1] | counts[2])
    return {
        **{f"span_{name}": overall[name] for name in ("precision", "recall", "f1")},
        "spans": len(true),
        "per_type": {kind: _rates(*(count[kind] for count in counts)) for kind in kinds},
    }


def span_f1(labels: list[str], truth: np.ndarray, starts: np.ndarray, predicted: np.ndarray) -> float:
    """F1 over all spans; the arguments are those of `span_figures`."""
    f1: float = span_figures(labels, truth, predicted, starts)["span_f1"]
    return f1


def _spans(labels: list[str], numbers: np.ndarray, starts: np.ndarray) -> set[Span]:
    """The spans of all sentences; their places are counted through."""
    firsts = np.flatnonzero(starts)
    found: set[Span] = set()
    for first, its in zip(firsts.tolist(), np.split(numbers, firsts[1:]), strict=True):
        for start, end, kind in spans([labels[number] for number in its.tolist()]):
            found.add(Span(first + start, first + end, kind))
    return found


def _rates(right: int, found: int, true: int) -> dict[str, Any]:
    precision, recall = right / max(found, 1), right / max(true, 1)
    return {"precision": precision, "recall": recall, "f1": 2 * right / max(found + true, 1), "count": true}
