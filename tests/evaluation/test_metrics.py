import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.errors import MulticnnError
from multicnn.evaluation.metrics import expected_calibration_error, metrics


def some(seed: int, examples: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Random truth and probabilities."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, examples), rng.dirichlet(np.full(classes, 0.5), examples)


def per_class_by_hand(truth: list[int], predicted: list[int], c: int) -> dict[str, float]:
    """Precision, recall and F1 from the counts of true and false positives and negatives."""
    tp = sum(t == c == p for t, p in zip(truth, predicted, strict=True))
    fp = sum(p == c != t for t, p in zip(truth, predicted, strict=True))
    fn = sum(t == c != p for t, p in zip(truth, predicted, strict=True))
    return {
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
        "count": tp + fn,
    }


def ece_by_hand(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Guo et al. 2017, equation 3, bin by bin."""
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    total = 0.0
    for m in range(1, 16):
        inside = (confidence > (m - 1) / 15) & (confidence <= m / 15)
        if inside.any():
            gap = abs((predicted == truth)[inside].mean() - confidence[inside].mean())
            total += inside.sum() / len(truth) * gap
    return total


@given(seed=st.integers(0, 10_000), examples=st.integers(1, 40), classes=st.integers(2, 8))
def test_agrees_with_the_definitions(seed: int, examples: int, classes: int) -> None:
    truth, probabilities = some(seed, examples, classes)
    labels = [str(c) for c in range(classes)]
    found = metrics(labels, truth, probabilities)
    predicted = probabilities.argmax(axis=1).tolist()
    by_hand = {label: per_class_by_hand(truth.tolist(), predicted, int(label)) for label in labels}
    occurring = [one for one in by_hand.values() if one["count"]]
    for label in labels:
        assert found["per_class"][label] == pytest.approx(by_hand[label])
    assert found["accuracy"] == pytest.approx(sum(truth == predicted) / examples)
    assert found["balanced_accuracy"] == pytest.approx(np.mean([one["recall"] for one in occurring]))
    assert found["macro_f1"] == pytest.approx(np.mean([one["f1"] for one in occurring]))
    ranks = [sorted(row, reverse=True).index(row[t]) for t, row in zip(truth, probabilities.tolist(), strict=True)]
    assert found["top5_accuracy"] == pytest.approx(np.mean([rank < 5 for rank in ranks]))
    losses = [-math.log(max(row[t], 2**-52)) for t, row in zip(truth, probabilities, strict=True)]
    assert found["log_loss"] == pytest.approx(np.mean(losses))
    assert found["ece"] == pytest.approx(ece_by_hand(truth, probabilities))
    matrix = [[sum((truth == t) & (np.array(predicted) == p)) for p in range(classes)] for t in range(classes)]
    assert found["confusion"] == {"labels": labels, "matrix": matrix}
    assert found["count"] == examples


def test_everything_is_plain_python() -> None:
    truth, probabilities = some(0, 9, 3)
    found = metrics(["a", "b", "c"], truth, probabilities.astype(np.float32))
    single = [value for value in found.values() if not isinstance(value, dict)]
    values = [*single, *(value for one in found["per_class"].values() for value in one.values())]
    assert {type(value) for value in [*values, found["confusion"]["matrix"][0][0]]} == {float, int}


def test_a_class_without_an_example_changes_no_mean() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    found = metrics(["a", "b", "never"], np.array([0, 1]), probabilities)
    assert found["balanced_accuracy"] == found["macro_f1"] == 1.0
    assert found["per_class"]["never"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "count": 0}


def test_a_certain_and_wrong_answer_costs_much_but_not_infinity() -> None:
    assert metrics(["a", "b"], np.array([1]), np.array([[1.0, 0.0]]))["log_loss"] == pytest.approx(52 * math.log(2))


def test_a_perfectly_calibrated_model_has_no_error() -> None:
    probabilities = np.tile([0.75, 0.25], (4, 1))
    assert expected_calibration_error(np.array([0, 0, 0, 1]), probabilities) == pytest.approx(0)
    assert expected_calibration_error(np.array([0, 0, 0, 0]), probabilities) == pytest.approx(0.25)


def test_equal_probabilities_mean_the_first_class() -> None:
    found = metrics(list("abcdef"), np.array([0, 5]), np.full((2, 6), 1 / 6))
    assert (found["accuracy"], found["top5_accuracy"]) == (0.5, 0.5)


def test_an_output_that_is_no_number_is_refused() -> None:
    with pytest.raises(MulticnnError, match="1 of 2 examples"):
        metrics(["a", "b"], np.array([0, 1]), np.array([[1.0, 0.0], [np.nan, 0.0]]))


def test_nothing_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="no example"):
        metrics(["a"], np.array([]), np.empty((0, 1)))
