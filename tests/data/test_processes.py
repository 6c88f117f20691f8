"""Work that is shared by copies of the process."""

import itertools
import os
import threading
import time
from collections.abc import Iterator

import pytest

from multicnn.data.processes import CAN_COPY, in_order, shared
from multicnn.errors import InputError, MulticnnError

pytestmark = pytest.mark.skipif(not CAN_COPY, reason="processes are copied on Linux only")


def test_results_come_in_order_from_several_processes() -> None:
    def work(number: int) -> tuple[int, int]:
        time.sleep(0.002 * (number % 3 == 0))
        return number * number, os.getpid()

    squares, by = zip(*in_order(work, iter(range(40)), 3), strict=True)
    assert list(squares) == [number * number for number in range(40)]
    assert len(set(by)) == 3 and os.getpid() not in by


def test_large_items_and_results_block_nothing() -> None:
    sizes = list(in_order(lambda text: text + text, iter([b"x" * 3_000_000] * 6), 2))
    assert [len(text) for text in sizes] == [6_000_000] * 6


def test_a_result_does_not_wait_for_the_next_item() -> None:
    more = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert more.wait(20)
        yield 2

    results = in_order(lambda number: -number, items(), 2)
    assert next(results) == -1
    more.set()
    assert list(results) == [-2]


def test_items_are_not_taken_far_ahead() -> None:
    taken = 0

    def items() -> Iterator[bytes]:
        nonlocal taken
        while taken < 10_000:
            taken += 1
            yield b"x" * 100_000

    results = in_order(len, items(), 2)
    next(results)
    time.sleep(0.2)
    assert taken < 100
    results.close()


def test_what_fails_in_the_work_or_in_the_items_fails_here() -> None:
    def refuse(number: int) -> int:
        raise InputError(f"no {number}")

    with pytest.raises(InputError, match="no 0"):
        list(in_order(refuse, itertools.count(), 2))

    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(in_order(abs, items(), 2))


@pytest.mark.parametrize("last", [0, 3])
def test_a_process_that_ends_is_told(last: int) -> None:
    def work(number: int) -> int:
        if number == last:
            os._exit(9)
        return number

    with pytest.raises(MulticnnError, match="ended early"):
        list(in_order(work, itertools.count(), 1))


@pytest.mark.parametrize("items", [0, 1, 2, 7])
def test_work_is_shared_where_there_is_more_than_one_item(items: int) -> None:
    squares = list(shared(lambda number: (number * number, os.getpid()), range(items), 3))
    assert [square for square, _ in squares] == [number * number for number in range(items)]
    processes = {process for _, process in squares}
    assert len(processes) == min(items, 4)  # the first here, the others by three copies at most
    alone = shared(lambda number: os.getpid(), range(items), 1)
    assert set(alone) <= {os.getpid()}
