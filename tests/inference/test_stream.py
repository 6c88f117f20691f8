import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import text_model

from multicnn.bundle.read import open_bundle
from multicnn.data.blob import Blob
from multicnn.data.example import Example, Trouble
from multicnn.errors import InputError
from multicnn.inference.predictor import Predictor
from multicnn.inference.stream import TOKENS_PER_RUN, WINDOW, Answers, answers, runs_of_texts
from multicnn.pipeline import Kind

Item = Example | Trouble


class Numbers:
    """Reads a number; the later ones sooner, so that order has to be kept."""

    def read(self, content: bytes | str) -> np.ndarray:
        if content == "broken":
            raise InputError("no number")
        time.sleep(0.002 * (int(content) % 3 == 0))
        return np.array([int(content)])

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(arrays)

    def settings(self) -> dict[str, object]:
        return {}


class Digits(Numbers):
    """Reads a number as a text of its digits, padded with zeros behind; the last digit comes first."""

    def read(self, content: bytes | str) -> np.ndarray:
        return np.array([int(digit) for digit in reversed(str(content))])

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        longest = max(map(len, arrays))
        return np.stack([np.pad(array, (0, longest - len(array))) for array in arrays])[:, :1]


class Parity:
    """Says whether a number is even; of 13 it says nothing that is a number."""

    def __init__(self, kind: Kind = "image", side_by_side: int = 1) -> None:
        self.labels = ["even", "odd"]
        self.pipeline = kind
        self.side_by_side = side_by_side
        self.reader = Numbers()
        self.sizes: list[int] = []

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        self.sizes.append(len(arrays))
        odd = self.reader.collate(arrays) % 2
        rows = np.concatenate([1 - odd, odd], axis=1).astype(np.float32)
        rows[self.reader.collate(arrays)[:, 0] == 13] = np.nan
        return rows


def errors(some: Answers) -> list[str]:
    return [some.errors.get(place, "") for place in range(len(some.names))]


def numbers(*words: object) -> list[Item]:
    return [Example(f"n{word}", str(word)) for word in words]


@pytest.mark.parametrize("kind", ["image", "text"])
def test_answers_are_in_order_and_batches_full(kind: Kind) -> None:
    model = Parity(kind)
    chunks = [numbers(*range(start, start + 7)) for start in range(0, 70, 7)]
    found = list(answers(model, chunks, batch_size=16, workers=4, live=False))
    assert [name for some in found for name in some.names] == [f"n{i}" for i in range(70)]
    probabilities = np.concatenate([some.probabilities for some in found])
    assert [int(row.argmax()) for row in probabilities] == [0 if i == 13 else i % 2 for i in range(70)]
    assert [name for some in found for name in errors(some) if name] == [
        "the model's output for this input is not a number"
    ]
    assert model.sizes == [16, 16, 16, 16, 6]


def test_errors_stay_in_place_and_shift_nothing() -> None:
    chunk: list[Item] = [*numbers(1), Trouble("gone", "there is no such file"), *numbers("broken", "x", 13, 2)]
    (batch,) = answers(Parity(), [chunk], batch_size=16, workers=2, live=False)
    assert list(zip(batch.names, errors(batch), strict=True)) == [
        ("n1", ""),
        ("gone", "there is no such file"),
        ("nbroken", "no number"),
        ("nx", "it cannot be read (ValueError: invalid literal for int() with base 10: 'x')"),
        ("n13", "the model's output for this input is not a number"),
        ("n2", ""),
    ]
    assert batch.probabilities[[0, 5]].tolist() == [[0, 1], [1, 0]]


def test_a_batch_without_anything_readable_needs_no_model() -> None:
    model = Parity()
    (batch,) = answers(model, [[Trouble("a", "b")]], batch_size=4, workers=1, live=False)
    assert errors(batch) == ["b"] and model.sizes == []


def test_the_first_answer_does_not_wait_for_the_end() -> None:
    more = threading.Event()

    def chunks() -> Iterator[list[Item]]:
        yield numbers(1)
        assert more.wait(20)
        yield numbers(2)

    stream = answers(Parity(), chunks(), batch_size=16, workers=2, live=True)
    assert next(stream).names == ["n1"]
    more.set()
    assert [batch.names for batch in stream] == [["n2"]]


def test_only_a_bounded_number_is_read_ahead() -> None:
    asked = 0

    def chunks() -> Iterator[list[Item]]:
        nonlocal asked
        for asked in range(1_000_000):
            yield numbers(asked)

    stream = answers(Parity(), chunks(), batch_size=8, workers=2, live=True)
    next(stream)
    time.sleep(0.2)
    assert asked < 100
    stream.close()
    time.sleep(0.1)
    stopped_at = asked
    time.sleep(0.1)
    assert asked == stopped_at < 100


def test_what_fails_in_the_source_fails_here() -> None:
    def chunks() -> Iterator[list[Item]]:
        yield numbers(1)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        list(answers(Parity(), chunks(), batch_size=8, workers=2, live=False))


def test_texts_of_like_length_go_together_and_come_back_in_order() -> None:
    model = Parity("text", side_by_side=3)
    model.reader = Digits()
    words = [10**length + number % 2 for number, length in enumerate([1, 5, 2, 5, 1, 3] * 500)]
    found = list(answers(model, [numbers(*words)], batch_size=16, workers=1, live=False))
    assert [len(some.names) for some in found] == [WINDOW, 3000 - WINDOW]
    assert [name for some in found for name in some.names] == [f"n{word}" for word in words]
    best = np.concatenate([some.probabilities for some in found]).argmax(axis=1)
    assert best.tolist() == [word % 2 for word in words]
    assert sum(model.sizes) == 3000 and max(model.sizes) == 16


@given(st.lists(st.integers(1, TOKENS_PER_RUN + 9), max_size=40), st.integers(1, 8))
def test_runs_of_texts_hold_each_text_once_within_bounds(lengths: list[int], batch_size: int) -> None:
    runs = runs_of_texts(dict(enumerate(lengths)), batch_size)
    order = [place for some in runs for place in some]
    assert order == sorted(range(len(lengths)), key=lengths.__getitem__)
    for some in runs:
        assert len(some) <= batch_size
        assert len(some) == 1 or len(some) * max(lengths[place] for place in some) <= TOKENS_PER_RUN


def test_short_texts_fill_runs_and_long_ones_go_into_smaller_ones() -> None:
    lengths = [10, TOKENS_PER_RUN, 5, 5, TOKENS_PER_RUN // 2, TOKENS_PER_RUN // 2, 3]
    assert runs_of_texts(dict(enumerate(lengths)), 3) == [[6, 2, 3], [0, 4], [5], [1]]


def test_a_real_model_reads_texts_and_documents(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("good good")
    predictor = Predictor(open_bundle(text_model(tmp_path / "m")))
    chunk: list[Item] = [
        Example("a", "bad"),
        Example("b", Blob(tmp_path / "x.txt")),
        Example("c", "odd"),
        Example("d", " "),
    ]
    (batch,) = answers(predictor, [chunk], batch_size=4, workers=1, live=False)
    expected = [1 / (1 + np.exp(2)), 1 / (1 + np.exp(-4))]  # softmax of (1, -1) and of (-2, 2)
    np.testing.assert_allclose(batch.probabilities[:2, 1], expected, rtol=1e-6)
    assert errors(batch)[2:] == ["the model's output for this input is not a number", "the text is empty"]
