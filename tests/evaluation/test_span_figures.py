"""Precision, recall and F1 of spans, against counts by hand."""

import numpy as np
import pytest

from multicnn.evaluation.spans import span_f1, span_figures

LABELS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]


def numbers(tags: str) -> np.ndarray:
    return np.array([LABELS.index(tag) for tag in tags.split()])


def test_a_span_is_right_if_its_border_and_its_type_are() -> None:
    truth = numbers("B-PER I-PER O B-LOC O  B-LOC I-LOC B-PER")
    found = numbers("B-PER I-PER O B-PER O  B-LOC O     B-PER")
    figures = span_figures(LABELS, truth, found, np.arange(8) == 0)
    assert (figures["span_precision"], figures["span_recall"], figures["span_f1"]) == (0.5, 0.5, 0.5)
    assert figures["spans"] == 4
    assert figures["per_type"] == {
        "LOC": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "count": 2},
        "PER": {"precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8), "count": 2},
    }


def test_a_span_ends_with_its_sentence() -> None:
    truth = numbers("O B-PER I-PER O")
    apart = span_figures(LABELS, truth, truth, np.array([True, False, True, False]))
    assert apart["spans"] == 2
    assert span_figures(LABELS, truth, truth, np.array([True, False, False, False]))["spans"] == 1


def test_nothing_to_find_and_nothing_found_is_zero() -> None:
    outside = numbers("O O")
    assert span_f1(LABELS, outside, np.array([True, True]), outside) == 0.0
