"""The figures that say how good a classifier is: one definition for train, evaluate and info."""

from typing import Any

import numpy as np

from multicnn.errors import MulticnnError
from multicnn.evaluation.spans import span_figures

ECE_BINS = 15


def metrics(
    labels: list[str], truth: np.ndarray, probabilities: np.ndarray, starts: np.ndarray | None = None
) -> dict[str, Any]:
    """All figures of metrics.json for one set of examples; rates are fractions of 1.

    The predicted class is the most probable one; of equal ones the first in the order of `labels`.
    `balanced_accuracy` is the mean recall and `macro_f1` the mean F1 over the classes that occur in the truth, so a
    class without an example changes neither. In `per_class` a rate without a denominator is 0.
    `log_loss` is the mean of -ln p(truth), with p not below 2.2e-16.

    Args:
        labels: the classes, in the order of the columns.
        truth: the number of each example's class, [examples] int.
        probabilities: [examples, classes]; rows sum to 1.
        starts: where the examples are words, where their sentences begin, bool [examples].

    Returns:
        accuracy, balanced_accuracy, macro_f1, top5_accuracy, log_loss, ece, count,
        per_class {label: {precision, recall, f1, count}}, confusion {labels, matrix[truth][prediction]};
        of words, what `multicnn.evaluation.spans.span_figures` says too.

    Raises:
        MulticnnError: a probability is not a number.
        ValueError: there is no example.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    truth = np.asarray(truth, dtype=np.int64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if truth.size == 0:
        raise ValueError("there is no example to measure")
    _refuse_nan(probabilities)
    classes = np.arange(len(labels))
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, count = precision_recall_fscore_support(truth, predicted, labels=classes, zero_division=0.0)
    occurs = count > 0
    return {
        "accuracy": float((predicted == truth).mean()),
        "balanced_accuracy": float(recall[occurs].mean()),
        "macro_f1": float(f1[occurs].mean()),
        "top5_accuracy": _top_accuracy(truth, probabilities, 5),
        "log_loss": _log_loss(truth, probabilities),
        "ece": expected_calibration_error(truth, probabilities),
        "count": int(truth.size),
        "per_class": {
            label: {"precision": float(p), "recall": float(r), "f1": float(f), "count": int(n)}
            for label, p, r, f, n in zip(labels, precision, recall, f1, count, strict=True)
        },
        "confusion": {"labels": labels, "matrix": confusion_matrix(truth, predicted, labels=classes).tolist()},
        **({} if starts is None else span_figures(labels, truth, predicted, starts)),
    }


def expected_calibration_error(truth: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> float:
    """How far confidence is from accuracy: the mean of |accuracy - confidence| over equally wide bins of confidence.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3; bin m is ((m - 1) / M, m / M].

    Args:
        truth: [examples] int.
        probabilities: [examples, classes].
        bins: M.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    number = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(number, weights=correct - confidence, minlength=bins)  # |B_m| (acc(B_m) - conf(B_m))
    return float(np.abs(gap).sum() / truth.size)


def _top_accuracy(truth: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """How often the truth is among the k most probable classes; 1 where there are no more than k classes."""
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float((top == truth[:, None]).any(axis=1).mean())


def _log_loss(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -ln p(truth). float32 rows sum to 1 only nearly, so p is taken as it is and not normalised again."""
    p = probabilities[np.arange(truth.size), truth]
    return float(-np.log(np.maximum(p, np.finfo(np.float64).eps)).mean())


def _refuse_nan(probabilities: np.ndarray) -> None:
    broken = int((~np.isfinite(probabilities)).any(axis=1).sum())
    if broken:
        raise MulticnnError(
            f"the model's output is not a number for {broken} of {len(probabilities)} examples; "
            "its training diverged: train again with a smaller --lr or with --precision fp32"
        )
