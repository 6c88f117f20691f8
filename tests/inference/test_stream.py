import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_models import text_model

from multicnn.bundle.read import open_bundle
from multicnn.data.blob import Blob
from multicnn.data.example import Example, Trouble
from multicnn.errors import InputError
from multicnn.inference.predictor import Predictor
from multicnn.inference.stream import TOKENS_PER_RUN, answers, runs
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


class Parity:
    """Says whether a number is even; of 13 it says nothing that is a number."""

    def __init__(self, kind: Kind = "image") -> None:
        self.pipeline = kind
        self.reader = Numbers()
        self.sizes: list[int] = []

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        self.sizes.append(len(arrays))
        odd = self.reader.collate(arrays) % 2
        rows = np.concatenate([1 - odd, odd], axis=1).astype(np.float32)
        rows[self.reader.collate(arrays)[:, 0] == 13] = np.nan
        return rows


def numbers(*words: object) -> list[Item]:
    return [Example(f"n{word}", str(word)) for word in words]


@pytest.mark.parametrize("kind", ["image", "text"])
def test_answers_are_in_order_and_batches_full(kind: Kind) -> None:
    model = Parity(kind)
    chunks = [numbers(*range(start, start + 7)) for start in range(0, 70, 7)]
    found = [a for batch in answers(model, chunks, batch_size=16, workers=4, live=False) for a in batch]
    assert [a.name for a in found] == [f"n{i}" for i in range(70)]
    assert all(int(a.probabilities.argmax()) == i % 2 for i, a in enumerate(found) if a.probabilities is not None)
    assert model.sizes == [16, 16, 16, 16, 6]


def test_errors_stay_in_place_and_shift_nothing() -> None:
    chunk: list[Item] = [*numbers(1), Trouble("gone", "there is no such file"), *numbers("broken", "x", 13, 2)]
    (batch,) = answers(Parity(), [chunk], batch_size=16, workers=2, live=False)
    assert [(a.name, a.error) for a in batch] == [
        ("n1", ""),
        ("gone", "there is no such file"),
        ("nbroken", "no number"),
        ("nx", "it cannot be read (ValueError: invalid literal for int() with base 10: 'x')"),
        ("n13", "the model's output for this input is not a number"),
        ("n2", ""),
    ]
    assert batch[0].probabilities is not None and batch[0].probabilities.tolist() == [0, 1]
    assert batch[5].probabilities is not None and batch[5].probabilities.tolist() == [1, 0]


def test_a_batch_without_anything_readable_needs_no_model() -> None:
    model = Parity()
    (batch,) = answers(model, [[Trouble("a", "b")]], batch_size=4, workers=1, live=False)
    assert batch[0].error == "b" and model.sizes == []


def test_the_first_answer_does_not_wait_for_the_end() -> None:
    more = threading.Event()

    def chunks() -> Iterator[list[Item]]:
        yield numbers(1)
        assert more.wait(20)
        yield numbers(2)

    stream = answers(Parity(), chunks(), batch_size=16, workers=2, live=True)
    assert [a.name for a in next(stream)] == ["n1"]
    more.set()
    assert [[a.name for a in batch] for batch in stream] == [["n2"]]


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


def test_long_texts_go_into_smaller_runs() -> None:
    lengths = [10, TOKENS_PER_RUN, 5, 5, TOKENS_PER_RUN // 2, 3, 3]
    arrays = [np.zeros(length, np.int32) for length in lengths]
    parts = [[array.size for array in some] for some in runs(Parity("text"), arrays)]
    assert parts == [[10], [TOKENS_PER_RUN], [5, 5], [TOKENS_PER_RUN // 2, 3], [3]]


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
    np.testing.assert_allclose(
        [a.probabilities[1] for a in batch[:2] if a.probabilities is not None], expected, rtol=1e-6
    )
    assert batch[2].error == "the model's output for this input is not a number"
    assert batch[3].error == "the text is empty"
