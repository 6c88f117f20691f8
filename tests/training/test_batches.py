"""Batches: every example has its turn, texts of like length travel together."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from multicnn.data.ragged import Packer
from multicnn.data.rows import RowFile, Rows
from multicnn.training.batches import AHEAD, Feed, class_weights


class Padding:
    """A reader of number lists, as far as a feed needs one."""

    def read(self, content: bytes | str) -> np.ndarray:
        return np.frombuffer(content.encode() if isinstance(content, str) else content, np.uint8)

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        batch = np.zeros((len(arrays), max(map(len, arrays))), np.int32)
        for row, array in zip(batch, arrays, strict=True):
            row[: len(array)] = array
        return batch

    def settings(self) -> dict[str, object]:
        return {}


class Stacking(Padding):
    """A reader of arrays of one shape, as far as a feed needs one."""

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(arrays)


def texts(count: int) -> Feed:
    rng = np.random.default_rng(0)
    arrays = Packer()
    for index in range(count):
        arrays.add(np.full(rng.integers(1, 40), index, np.int32))
    return Feed(arrays.packed(), np.arange(count) % 3, Padding(), torch.device("cpu"))


def pictures(count: int) -> Feed:
    return Feed(
        np.arange(count * 4, dtype=np.uint8).reshape(count, 2, 2, 1),
        np.arange(count) % 3,
        Padding(),
        torch.device("cpu"),
    )


def from_a_file(path: Path) -> tuple[Feed, Feed]:
    """The same pictures in memory, and as rows of a file in which they lie backwards."""
    plain = pictures(60)
    assert isinstance(plain.arrays, np.ndarray)
    file = RowFile(path, 60, (2, 2, 1), np.dtype(np.uint8))
    for number, array in enumerate(plain.arrays[::-1]):
        file[number] = array
    return plain, Feed(Rows(file, np.arange(60)[::-1]), np.arange(60) % 3, Stacking(), torch.device("cpu"))


def test_rows_of_a_file_give_the_same_batches(tmp_path: Path) -> None:
    plain, filed = from_a_file(tmp_path / "rows")
    assert plain.resident is not None
    assert filed.resident is None
    for choices in (plain.in_order(8), plain.shuffled(8, np.random.default_rng(3))):
        for (inputs, truth), (same_inputs, same_truth) in zip(
            plain.batches(choices), filed.batches(choices), strict=True
        ):
            assert torch.equal(inputs, same_inputs)
            assert torch.equal(truth, same_truth)


def test_batches_are_fetched_ahead_and_left_where_no_more_are_wanted(tmp_path: Path) -> None:
    _, filed = from_a_file(tmp_path / "rows")
    asked: list[int] = []
    before = threading.active_count()
    filed.reader.collate = lambda arrays: asked.append(len(arrays)) or np.stack(arrays)  # type: ignore[method-assign]
    stream = filed.batches(filed.in_order(4))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert 2 <= len(asked) <= AHEAD + 1
    assert threading.active_count() == before


def test_an_epoch_shows_each_example_at_most_once_and_only_full_batches() -> None:
    for feed in (texts(100), pictures(100)):
        batches = feed.shuffled(8, np.random.default_rng(1))
        seen = np.concatenate(batches)
        assert [len(batch) for batch in batches] == [8] * 12
        assert len(set(seen)) == len(seen)


def test_fewer_examples_than_a_batch_are_one_batch() -> None:
    assert [len(batch) for batch in pictures(5).shuffled(8, np.random.default_rng(1))] == [5]


def test_inputs_and_classes_stay_together() -> None:
    feed = pictures(10)
    inputs, truth = feed.batch(np.array([7, 2]))
    assert inputs[:, 0, 0, 0].tolist() == [28, 8]
    assert truth.tolist() == [1, 2]


def test_texts_of_like_length_share_a_batch() -> None:
    feed = texts(2000)
    assert feed.lengths is not None

    def padding(batches: list[np.ndarray]) -> float:
        return sum(int((feed.lengths[one].max() - feed.lengths[one]).sum()) for one in batches)

    order = np.random.default_rng(1).permutation(2000)
    assert padding(feed.shuffled(16, np.random.default_rng(1))) < 0.1 * padding(list(order.reshape(-1, 16)))


def test_all_in_order_covers_everything_once() -> None:
    for feed in (texts(33), pictures(33)):
        assert sorted(np.concatenate(feed.in_order(8))) == list(range(33))


def test_drawing_by_chance_balances_the_classes() -> None:
    truth = np.array([0] * 900 + [1] * 100)
    weights = class_weights(truth, 2)[truth]
    feed = Feed(np.zeros((1000, 1, 1, 1), np.uint8), truth, Padding(), torch.device("cpu"))
    drawn = np.concatenate(feed.shuffled(10, np.random.default_rng(0), weights / weights.sum()))
    assert 0.4 < truth[drawn].mean() < 0.6


def test_class_weights_make_all_classes_count_alike() -> None:
    truth = np.array([0, 0, 0, 1])
    weights = class_weights(truth, 2)
    np.testing.assert_allclose([weights[0] * 3, weights[1] * 1], [2, 2])


def test_an_epoch_draws_one_piece_of_each_example() -> None:
    owner = np.repeat(np.arange(40), np.arange(40) % 3 + 1)
    feed = Feed(np.zeros((len(owner), 2), np.float32), owner % 4, Padding(), torch.device("cpu"), owner)
    assert feed.examples == 40
    np.testing.assert_array_equal(feed.truth_of_examples(), np.arange(40) % 4)
    rng = np.random.default_rng(0)
    epochs = [np.concatenate(feed.shuffled(8, rng)) for _ in range(30)]
    assert all(sorted(owner[epoch]) == list(range(40)) for epoch in epochs)
    assert set(np.concatenate(epochs)) == set(range(len(owner)))  # each piece has its turn
    assert sorted(np.concatenate(feed.in_order(7))) == list(range(len(owner)))
