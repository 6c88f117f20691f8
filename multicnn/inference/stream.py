"""Classifies an endless stream: inputs are read ahead by threads, answers come in order, memory stays constant."""

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from multicnn.data.example import Trouble
from multicnn.data.excerpt import Excerpt
from multicnn.errors import InputError
from multicnn.inference.lines import Item
from multicnn.pipeline import Kind, Reader

TEXTS_PER_TASK = 256  # reading a text takes microseconds, too few to hand it to a thread alone
TOKENS_PER_RUN = 1 << 16  # texts are padded to the longest: long ones go into smaller batches, so that memory suffices
WINDOW = 2048  # texts that are sorted by length before they are divided into batches, so that little is padded
OF_WORDS = ("text", "tokens")  # what is quick to read and comes by the thousand
NOT_FINITE = "the model's output for this input is not a number"


class Classifier(Protocol):
    """What the stream asks of a Predictor."""

    labels: list[str]
    pipeline: Kind
    reader: Reader
    side_by_side: int

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """[batch, classes] for a batch of examples."""
        ...


class Read(NamedTuple):
    """One input after reading: its array, or why it has none."""

    name: str
    array: np.ndarray | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Inputs after classification, in order.

    Attributes:
        names: of the inputs.
        probabilities: of each class, [inputs, classes]; rows of inputs with an error are not numbers.
        errors: why an input has no probabilities, by its place.
        spans: the seconds of the recordings that the inputs are, where windows are told one by one.
    """

    names: list[str]
    probabilities: np.ndarray
    errors: dict[int, str]
    spans: list[Excerpt | None] | None = None


def answers(
    predictor: Classifier, chunks: Iterable[list[Item]], *, batch_size: int, workers: int, live: bool
) -> Iterator[Answers]:
    """Classifies inputs batch by batch; one answer an input, in the same order.

    While the model computes, the answers before are handed on: they can be written in the meantime.

    Args:
        predictor: the model.
        chunks: inputs, as many at a time as are known.
        batch_size: the largest number of inputs in one run of the model.
        workers: threads that read.
        live: answer what is there instead of waiting until a batch is full.

    Yields:
        The answers of some inputs.
    """
    ahead = ReadAhead(predictor, chunks, workers=workers, depth=2 * batch_size)
    pool = ThreadPoolExecutor(predictor.side_by_side, thread_name_prefix="multicnn-run")
    size = max(batch_size, WINDOW) if predictor.pipeline in OF_WORDS else batch_size
    before: Running | None = None
    try:
        for batch in ahead.batches(size, live=live):
            running = start(predictor, batch, batch_size, pool)
            if before:
                yield before.answers()
            before = running
            if live and not ahead.has_more():
                yield before.answers()
                before = None
        if before:
            yield before.answers()
    finally:
        ahead.stop()
        pool.shutdown(wait=False, cancel_futures=True)


class ReadAhead:
    """Reads inputs on threads while the model computes, a bounded number of them ahead, and gives them back in order.

    Args:
        predictor: says how to read.
        chunks: inputs; asked for on a thread of its own, which may wait for them as long as it takes.
        workers: threads that read. A text is read by Python alone, so that one thread is the quickest.
        depth: how many tasks may be waiting.
    """

    def __init__(self, predictor: Classifier, chunks: Iterable[list[Item]], *, workers: int, depth: int) -> None:
        is_text = predictor.pipeline in OF_WORDS
        self._predictor = predictor
        self._chunks = chunks
        self._size = TEXTS_PER_TASK if is_text else 1
        self._waiting: queue.Queue[Future[list[Read]] | BaseException | None] = queue.Queue(4 if is_text else depth)
        self._pool = ThreadPoolExecutor(1 if is_text else workers, thread_name_prefix="multicnn-read")
        self._stopped = False
        # A daemon: it may be waiting for standard input when everything else is done.
        threading.Thread(target=self._feed, name="multicnn-feed", daemon=True).start()

    def batches(self, size: int, *, live: bool) -> Iterator[list[Read]]:
        """What was read, in order.

        Args:
            size: the largest batch.
            live: give what is there when nothing more is waiting; otherwise batches are full but for the last.
        """
        batch: list[Read] = []
        while True:
            try:
                task = self._waiting.get(block=not (batch and live))
            except queue.Empty:
                yield batch
                batch = []
                continue
            if isinstance(task, BaseException):
                raise task
            if task is None:
                break
            batch += task.result()
            while len(batch) >= size:
                yield batch[:size]
                batch = batch[size:]
        if batch:
            yield batch

    def has_more(self) -> bool:
        """Whether something, or the end, is there without waiting."""
        return not self._waiting.empty()

    def stop(self) -> None:
        """Nothing more is wanted: lets the threads end."""
        self._stopped = True
        while not self._waiting.empty():  # wakes the feeder where it waits for room
            self._waiting.get_nowait()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _feed(self) -> None:
        """Turns inputs into tasks; what goes wrong is raised where the answers are awaited."""
        end: BaseException | None = None
        try:
            for chunk in self._chunks:
                for start in range(0, len(chunk), self._size):
                    if self._stopped:
                        return
                    self._waiting.put(self._pool.submit(self._read, chunk[start : start + self._size]))
        except BaseException as error:
            end = error
        self._waiting.put(end)

    def _read(self, some: list[Item]) -> list[Read]:
        return [read_item(self._predictor, item) for item in some]


def read_item(predictor: Classifier, item: Item) -> Read:
    """Reads one input; whatever goes wrong concerns this one only."""
    if isinstance(item, Trouble):
        return Read(item.name, None, item.reason)
    try:
        return Read(item.name, predictor.reader.read(item.load()))
    except InputError as error:
        return Read(item.name, None, str(error))
    except Exception as error:  # a decoder that stumbles in a way nobody foresaw must not stop a million others
        return Read(item.name, None, f"it cannot be read ({type(error).__name__}: {' '.join(str(error).split())})")


@dataclass(frozen=True, slots=True)
class Running:
    """Inputs that the model is computing.

    Attributes:
        batch: the inputs, in order.
        classes: how many there are.
        runs: the places in `batch` of the inputs of each run, and the probabilities that are to come, [run, classes].
    """

    batch: Sequence[Read]
    classes: int
    runs: Sequence[tuple[list[int], Future[np.ndarray]]]

    def answers(self) -> Answers:
        """Waits for all runs. An output that is not finite is an error of this input, never a label."""
        probabilities = np.full((len(self.batch), self.classes), np.nan, np.float32)
        for places, run in self.runs:
            probabilities[places] = run.result()
        useless = np.flatnonzero(~np.isfinite(probabilities).all(axis=1)).tolist()
        errors = {place: self.batch[place].error or NOT_FINITE for place in useless}
        return Answers([read.name for read in self.batch], probabilities, errors)


def start(predictor: Classifier, batch: Sequence[Read], batch_size: int, pool: Executor) -> Running:
    """Has the model run on what could be read.

    Args:
        predictor: the model.
        batch: inputs with their arrays or errors.
        batch_size: the largest number of inputs in one run.
        pool: computes the runs.
    """
    arrays = {place: read.array for place, read in enumerate(batch) if read.array is not None}
    if predictor.pipeline in OF_WORDS:
        groups = runs_of_texts({place: array.size for place, array in arrays.items()}, batch_size)
    else:
        groups = [list(arrays)] if arrays else []
    runs = [(some, pool.submit(predictor.probabilities, [arrays[place] for place in some])) for some in groups]
    return Running(batch, len(predictor.labels), runs)


def runs_of_texts(lengths: Mapping[int, int], batch_size: int) -> list[list[int]]:
    """Divides texts into runs of similar length, which are smaller where padding to the longest would fill the memory.

    Args:
        lengths: in tokens, by the place of the text.
        batch_size: the largest number of texts in one run.

    Returns:
        The places of each run's texts; the shortest texts come first, equally long ones in order.
    """
    runs: list[list[int]] = []
    for place in sorted(lengths, key=lengths.__getitem__):
        if runs and len(runs[-1]) < batch_size and lengths[place] * (len(runs[-1]) + 1) <= TOKENS_PER_RUN:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs
