"""Recordings and texts that are read window by window: one answer for the whole, or one for each window."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from multicnn.data.blob import Blob
from multicnn.data.decode import default_workers
from multicnn.data.example import Example
from multicnn.data.excerpt import Excerpt
from multicnn.inference.lines import Item, Line
from multicnn.inference.output import Prediction, predictions
from multicnn.inference.predictor import Predictor
from multicnn.inference.stream import Answers, Classifier, answers
from multicnn.pipeline import Reader

Stream = Callable[[Iterable[list[Item]]], Iterator[Answers]]


def stream_of(predictor: Classifier, *, batch_size: int, workers: int, live: bool, timeline: bool = False) -> Stream:
    """How a model's inputs are answered: as they are, or window by window where its reader, or a timeline, has windows.

    Args:
        predictor, batch_size, workers, live: as `multicnn.inference.stream.answers`.
        timeline: as `answers_of_recordings`.
    """
    stream: Stream = partial(answers, predictor, batch_size=batch_size, workers=workers, live=live)
    if not timeline and not predictor.reader.windows:
        return stream
    return partial(answers_of_recordings, stream, reader=predictor.reader, timeline=timeline)


def answers_of_recordings(
    stream: Stream, chunks: Iterable[list[Item]], reader: Reader, timeline: bool
) -> Iterator[Answers]:
    """Has the windows of long inputs classified one by one, so that no recording is ever in memory as a whole.

    Args:
        stream: `multicnn.inference.stream.answers`, but for the inputs.
        chunks: the inputs.
        reader: says what the windows are.
        timeline: tell each window, of models too that otherwise hear a recording's middle only; for sounds.

    Yields:
        The answers of some inputs or windows, in order.
    """
    recordings: deque[Recording] = deque()
    batches = stream(_cut(chunks, _hearing_all(reader) if timeline else reader, recordings))
    return _timed(batches, recordings) if timeline else _averaged(batches, recordings)


def timeline(predictor: Predictor, *paths: str | Path, batch_size: int = 16) -> Iterator[Prediction]:
    """What is heard when: `multicnn predict --timeline` from Python.

    Args:
        predictor: of sounds.
        paths: recordings of any length.
        batch_size: windows in one run of the model.

    Yields:
        {"input", "start", "end", "label", "score", "scores"} for each window, in seconds and in order; {"input",
        "error"} for what cannot be read.
    """
    inputs: list[Item] = [Example(str(path), Blob(Path(path))) for path in paths]
    stream = stream_of(predictor, batch_size=batch_size, workers=default_workers(), live=False, timeline=True)
    for batch in stream([inputs]):
        yield from predictions(batch, predictor.labels)


@dataclass(slots=True)
class Recording:
    """An input whose windows are being answered.

    Attributes:
        name: the input's.
        spans: of its windows, still to come; None for what could not be cut.
        total: of the probabilities so far, [classes].
        count: windows so far.
        error: the first.
    """

    name: str
    spans: deque[Excerpt | None]
    total: np.ndarray | float = 0.0
    count: int = 0
    error: str = ""

    def add(self, probabilities: np.ndarray, error: str | None) -> bool:
        """Takes the answer to one window; whether it was the last."""
        self.spans.popleft()
        self.total = self.total + probabilities.astype(np.float64)
        self.count += 1
        self.error = self.error or error or ""
        return not self.spans


def _hearing_all(reader: Reader) -> Reader:
    """A reader of sounds that hears recordings as a whole."""
    from multicnn.audio.read import AudioReader  # texts do without its libraries

    assert isinstance(reader, AudioReader)
    return replace(reader, windows=True)


def _cut(chunks: Iterable[list[Item]], reader: Reader, recordings: deque[Recording]) -> Iterator[list[Item]]:
    """The windows of each input; `recordings` is told before they go on."""
    for chunk in chunks:
        windows: list[Item] = []
        for item in chunk:
            whole = Example(item.name, item.name) if isinstance(item, Line) else item
            pieces = reader.cut(whole) if isinstance(whole, Example) else [whole]
            contents = [piece.content if isinstance(piece, Example) else None for piece in pieces]
            spans = deque(content if isinstance(content, Excerpt) else None for content in contents)
            recordings.append(Recording(item.name, spans))
            windows += pieces
        yield windows


def _averaged(batches: Iterable[Answers], recordings: deque[Recording]) -> Iterator[Answers]:
    """One answer a recording; one without all of its windows is an error, never a label."""
    for batch in batches:
        done = []
        for place, row in enumerate(batch.probabilities):
            if recordings[0].add(row, batch.errors.get(place)):
                done.append(recordings.popleft())
        means = [np.asarray(one.total / one.count, np.float32) for one in done]
        table = np.stack(means) if means else batch.probabilities[:0]
        errors = {place: one.error for place, one in enumerate(done) if one.error}
        yield Answers([one.name for one in done], table, errors)


def _timed(batches: Iterable[Answers], recordings: deque[Recording]) -> Iterator[Answers]:
    """One answer a window, under the name of its recording."""
    for batch in batches:
        names, spans = [], []
        for _ in batch.names:
            names.append(recordings[0].name)
            spans.append(recordings[0].spans.popleft())
            if not recordings[0].spans:
                recordings.popleft()
        yield replace(batch, names=names, spans=spans)
