"""Predictions as JSON lines, CSV and TSV."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from multicnn.data.excerpt import Excerpt
from multicnn.data.files import written_whole
from multicnn.errors import MulticnnError, UsageError
from multicnn.inference.stream import Answers

DECIMALS = 6
_quoted = json.encoder.encode_basestring  # a text as a JSON string, by the json module's C code

Prediction = dict[str, Any]


def predictions(
    answers: Answers, labels: list[str], top_k: int | None = None, threshold: float = 0.0
) -> list[Prediction]:
    """What is told about each input: DESIGN's prediction objects.

    Args:
        answers: of some inputs.
        labels: the classes, in the order of the probabilities.
        top_k: how many classes to tell, the most probable ones; None for all.
        threshold: a score below it gives no label (None); the score itself is still told.

    Returns:
        {"input", "label", "score", "scores"} with scores in descending order, equal ones in the order of `labels`, or
        {"input", "error"}. Scores are rounded to 6 decimals, and the threshold is held against the rounded score. A
        window of a recording has its "start" and "end" in seconds behind "input".
    """
    told: list[Prediction] = []
    order, ranked = _ranked(answers.probabilities, top_k)
    for name, numbers, scores in zip(answers.names, order.tolist(), ranked.tolist(), strict=True):
        named = dict(zip([labels[number] for number in numbers], scores, strict=True))
        label = labels[numbers[0]] if scores[0] >= threshold else None
        told.append({"input": name, "label": label, "score": scores[0], "scores": named})
    for place, error in answers.errors.items():
        told[place] = {"input": answers.names[place], "error": error}
    if answers.spans is None:
        return told
    return [_timed(one, span) for one, span in zip(told, answers.spans, strict=True)]


def _timed(one: Prediction, span: Excerpt | None) -> Prediction:
    """A prediction with the seconds that it is about, where they are known."""
    if span is None or span.end is None:
        return one
    seconds = {"start": round(span.start, DECIMALS), "end": round(span.end, DECIMALS)}
    return {"input": one["input"], **seconds, **{key: value for key, value in one.items() if key != "input"}}


def _ranked(probabilities: np.ndarray, top_k: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The classes of each row by descending probability, and their scores, both [inputs, top_k]."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
    scores = np.take_along_axis(probabilities, order, axis=1).astype(np.float64).round(DECIMALS)
    return order, scores


class Writer(ABC):
    """Prints predictions.

    Args:
        stream: where to.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    @abstractmethod
    def encoded(self, told: Sequence[Prediction]) -> bytes:
        """The predictions of one batch as they are printed, with what comes before the first of all."""

    def encoded_answers(
        self, answers: Answers, labels: list[str], top_k: int | None = None, threshold: float = 0.0
    ) -> bytes:
        """`encoded` of `predictions`."""
        return self.encoded(predictions(answers, labels, top_k, threshold))

    def write(self, told: Sequence[Prediction]) -> None:
        """Prints the predictions of one batch; they have left the process when it returns."""
        self.send(self.encoded(told))

    def send(self, content: bytes) -> None:
        """Prints what was encoded before."""
        self._stream.write(content)
        self._stream.flush()


class JsonLines(Writer):
    """One JSON object a line, UTF-8."""

    def encoded(self, told: Sequence[Prediction]) -> bytes:
        """A line a prediction."""
        return b"".join(map(_json_line, told))

    def encoded_answers(
        self, answers: Answers, labels: list[str], top_k: int | None = None, threshold: float = 0.0
    ) -> bytes:
        """The same lines without an object for each, in half the time."""
        if answers.spans is not None:
            return super().encoded_answers(answers, labels, top_k, threshold)
        quoted = np.array([_quoted(label) for label in labels], object)
        order, scores = _ranked(answers.probabilities, top_k)
        shown = order.shape[1]
        told = [repr(score) for score in scores.ravel().tolist()]
        named = [f"{label}: {score}" for label, score in zip(quoted[order].ravel().tolist(), told, strict=True)]
        best = np.where(scores[:, 0] >= threshold, quoted[order[:, 0]], "null").tolist()
        columns = (
            map(_quoted, answers.names),
            best,
            told[::shown],
            map(", ".join, zip(*[iter(named)] * shown, strict=True)),
        )
        lines = [
            f'{{"input": {name}, "label": {label}, "score": {score}, "scores": {{{all_named}}}}}\n'
            for name, label, score, all_named in zip(*columns, strict=True)
        ]
        for place, error in answers.errors.items():
            lines[place] = f'{{"input": {_quoted(answers.names[place])}, "error": {_quoted(error)}}}\n'
        try:
            return "".join(lines).encode()
        except UnicodeEncodeError:  # a name that is not UTF-8
            return super().encoded_answers(answers, labels, top_k, threshold)


def _json_line(one: Prediction) -> bytes:
    """As `json.dumps` writes it, in a third of its time."""
    if "start" in one or "spans" in one:
        return json.dumps(one, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    if "error" in one:
        line = f'{{"input": {_quoted(one["input"])}, "error": {_quoted(one["error"])}}}\n'
    else:
        label = "null" if one["label"] is None else _quoted(one["label"])
        scores = ", ".join([f"{_quoted(name)}: {score!r}" for name, score in one["scores"].items()])
        best = f'"label": {label}, "score": {one["score"]!r}, "scores": {{{scores}}}'
        line = f'{{"input": {_quoted(one["input"])}, {best}}}\n'
    try:
        return line.encode()
    except UnicodeEncodeError:  # a name that is not UTF-8: its odd bytes go as \udcXX, which keeps the JSON valid
        return json.dumps(one).encode() + b"\n"


class Separated(Writer):
    """CSV or TSV: input, label, score, error, then a column a class, `score:CLASS`, empty outside the top k.

    Args:
        stream: where to write.
        labels: the classes.
        delimiter: a comma or a tab.
        timed: whether the columns start and end follow the input.
    """

    def __init__(self, stream: BinaryIO, labels: list[str], delimiter: str, timed: bool = False) -> None:
        super().__init__(stream)
        self._labels = labels
        self._delimiter = delimiter
        self._columns = ["input", *(["start", "end"] if timed else []), "label", "score", "error"]
        self._header: list[list[Any]] = [[*self._columns, *(f"score:{label}" for label in labels)]]

    def encoded(self, told: Sequence[Prediction]) -> bytes:
        """A row a prediction, after the header the first time."""
        text = io.StringIO()
        rows = csv.writer(text, delimiter=self._delimiter, lineterminator="\n")
        rows.writerows(self._header)
        rows.writerows(self._row(one) for one in told)
        self._header = []
        return text.getvalue().encode("utf-8", "backslashreplace")

    def _row(self, one: Prediction) -> list[Any]:
        scores = one.get("scores", {})
        return [*(one.get(column) for column in self._columns), *(scores.get(label) for label in self._labels)]


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only when everything is in it; a device or a pipe is written straight.

    Args:
        path: the file; folders on the way are made.

    Raises:
        UsageError: it is a folder.
        MulticnnError: it may not be written, the disk is full, or the like.
    """
    if path.is_dir():
        raise UsageError(f"--output {path} is a folder; name a file")
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    try:
        with written_whole(path.resolve()) as beside, beside.open("xb") as stream:
            yield stream
    except OSError as error:
        raise MulticnnError(f"{path} cannot be written: {error.strerror or error}") from error
