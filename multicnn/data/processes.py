"""Work that is shared by processes: Python's lock lets only one thread of a process work on texts at a time."""

import gc
import multiprocessing
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

from multicnn.errors import MulticnnError

T = TypeVar("T")
R = TypeVar("R")

# Copies of this process share its memory: none loads the model again. Elsewhere a copy is not safe, or there is none.
CAN_COPY = sys.platform == "linux"
# Characters of texts that are worth handing over.
WORTH = 1 << 22
AHEAD = 3  # items that a copy is ahead at most


def shared(work: Callable[[T], R], items: Sequence[T], count: int) -> Iterator[R]:
    """Does some work, in copies of this process where that can be and there is more than one item; in order.

    Args:
        work: what to do with an item; what comes of it can be pickled.
        items: so large that copies pay. They need not be sent: the copies have them.
        count: how many copies at most.
    """
    if count < 2 or not CAN_COPY or len(items) < 2:
        yield from map(work, items)
        return
    yield work(items[0])  # what it remembers, the copies know too
    yield from in_order(lambda place: work(items[place]), iter(range(1, len(items))), min(count, len(items) - 1))


def in_order(work: Callable[[T], R], items: Iterator[T], count: int) -> Iterator[R]:
    """Has copies of this process do the work; what comes out is in order, and each as soon as it is there.

    To be called while this process has no threads: a lock that one of them holds would stay locked in the copies.

    Args:
        work: what to do with an item; an item and what comes of it can be pickled, the work itself need not be.
        items: asked for on a thread of its own, which may wait for them as long as it takes.
        count: how many copies.

    Raises:
        MulticnnError: a copy ended before its work was done.
    """
    copies: list[Copy[T, R]] = []
    for _ in range(count):
        copies.append(Copy(work, copies))
    handed_out: queue.Queue[Copy[T, R] | BaseException | None] = queue.Queue(AHEAD * count)
    stopped = threading.Event()

    def hand_out() -> None:
        end: BaseException | None = None
        try:
            for number, item in enumerate(items):
                if stopped.is_set():
                    return
                copy = copies[number % count]
                copy.hand(item)
                handed_out.put(copy)
        except BaseException as error:
            end = error
        handed_out.put(end)

    # A daemon: it may be waiting for standard input when everything else is done.
    threading.Thread(target=hand_out, name="multicnn-feed", daemon=True).start()
    try:
        while (next_one := handed_out.get()) is not None:
            if isinstance(next_one, BaseException):
                raise next_one
            yield next_one.result()
    finally:
        stopped.set()
        for copy in copies:
            copy.end()
        while not handed_out.empty():  # wakes the thread where it waits for room
            handed_out.get_nowait()


class Copy(Generic[T, R]):
    """A copy of this process that waits for items.

    It ends when this process does, however that comes about: then nobody holds the other end of its connection.

    Args:
        work: what to do with an item.
        elder: the copies that there are already; this one would hold their connections open too.
    """

    def __init__(self, work: Callable[[T], R], elder: "Sequence[Copy[T, R]]") -> None:
        context = multiprocessing.get_context("fork")
        self._here, there = context.Pipe()
        ours = [self._here, *(copy._here for copy in elder)]
        self._process = context.Process(target=_serve, args=(work, there, ours), daemon=True)
        self._process.start()
        there.close()

    def hand(self, item: T) -> None:
        """Hands an item over; waits while those before it take long."""
        with suppress(OSError):  # it has ended, as `result` will say
            self._here.send(item)

    def result(self) -> R:
        """What came of the next item; waits for it.

        Raises:
            MulticnnError: the copy ended.
        """
        try:
            result: R | BaseException = self._here.recv()
        except (EOFError, OSError):
            raise MulticnnError("a process that shared the work ended early; was there too little memory?") from None
        if isinstance(result, BaseException):
            raise result
        return result

    def end(self) -> None:
        """Ends it, whatever it is doing."""
        self._process.terminate()
        self._process.join()


def _serve(work: Callable[[T], R], connection: Connection, others: Sequence[Connection]) -> None:
    """The copy's side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; this process's parent says what happens then
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # the search for reference cycles would touch, and so copy, all memory that is shared
    for other in others:
        other.close()
    with suppress(EOFError, OSError):  # the parent has ended
        while True:
            item = connection.recv()
            try:
                result: R | BaseException = work(item)
            except Exception as error:
                result = error
            connection.send(result)
