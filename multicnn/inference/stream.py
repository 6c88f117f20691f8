"""Classifies an endless stream: inputs are read ahead by threads, answers come in order, memory stays constant."""

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from multicnn.data.example import Trouble
from multicnn.errors import InputError
from multicnn.inference.lines import Item
from multicnn.pipeline import Kind, Reader

TEXTS_PER_TASK = 256  # reading a text takes microseconds, too few to hand it to a thread alone
TOKENS_PER_RUN = 1 << 16  # texts are padded to the longest: long ones go into smaller batches, so that memory suffices


class Classifier(Protocol):
    """What the stream asks of a Predictor."""

    pipeline: Kind
    reader: Reader

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """[batch, classes] for a batch of examples."""
        ...


@dataclass(frozen=True, slots=True)
class Read:
    """One input after reading: its array, or why it has none."""

    name: str
    array: np.ndarray | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One input after classification: the probability of each class, [classes], or why there is none."""

    name: str
    probabilities: np.ndarray | None
    error: str = ""


def answers(
    predictor: Classifier, chunks: Iterable[list[Item]], *, batch_size: int, workers: int, live: bool
) -> Iterator[list[Answer]]:
    """Classifies inputs batch by batch; one answer an input, in the same order.

    Args:
        predictor: the model.
        chunks: inputs, as many at a time as are known.
        batch_size: the largest number of inputs in one run of the model.
        workers: threads that read.
        live: answer what is there instead of waiting until a batch is full.

    Yields:
        The answers of one batch.
    """
    ahead = ReadAhead(predictor, chunks, workers=workers, depth=2 * batch_size)
    try:
        for batch in ahead.batches(batch_size, live=live):
            yield classify(predictor, batch)
    finally:
        ahead.stop()


class ReadAhead:
    """Reads inputs on threads while the model computes, a bounded number of them ahead, and gives them back in order.

    Args:
        predictor: says how to read.
        chunks: inputs; asked for on a thread of its own, which may wait for them as long as it takes.
        workers: threads that read. A text is read by Python alone, so that one thread is the quickest.
        depth: how many tasks may be waiting.
    """

    def __init__(self, predictor: Classifier, chunks: Iterable[list[Item]], *, workers: int, depth: int) -> None:
        is_text = predictor.pipeline == "text"
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


def classify(predictor: Classifier, batch: Sequence[Read]) -> list[Answer]:
    """Runs the model on what could be read.

    Args:
        predictor: the model.
        batch: inputs with their arrays or errors.

    Returns:
        One answer each. An output that is not finite is an error of this input, never a label.
    """
    arrays = [read.array for read in batch if read.array is not None]
    results = [predictor.probabilities(some) for some in runs(predictor, arrays)]
    rows = iter([row for result in results for row in zip(result, np.isfinite(result).all(axis=1), strict=True)])
    return [Answer(read.name, None, read.error) if read.array is None else _answer(read, *next(rows)) for read in batch]


def _answer(read: Read, probabilities: np.ndarray, finite: bool) -> Answer:
    if not finite:
        return Answer(read.name, None, "the model's output for this input is not a number")
    return Answer(read.name, probabilities)


def runs(predictor: Classifier, arrays: Sequence[np.ndarray]) -> Iterator[Sequence[np.ndarray]]:
    """Splits a batch where texts are so long that padding all of them to the longest would fill the memory.

    Args:
        predictor: the model.
        arrays: the examples, in order.

    Yields:
        The examples of one run of the model, in order.
    """
    if predictor.pipeline != "text":
        yield from [arrays] if arrays else []
        return
    some: list[np.ndarray] = []
    longest = 0
    for array in arrays:
        longest = max(longest, array.size)
        if some and longest * (len(some) + 1) > TOKENS_PER_RUN:
            yield some
            some, longest = [], array.size
        some.append(array)
    if some:
        yield some
