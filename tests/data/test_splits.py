"""Splits and folds keep what they promise, for any labels and groups."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.data.splits import stratified_folds, stratified_split
from multicnn.errors import UsageError

_labels = st.lists(st.sampled_from("abc"), min_size=1, max_size=60)


@given(_labels, st.floats(0.01, 0.9), st.integers(0, 5))
def test_lone_examples_are_split_to_the_fraction(labels: list[str], fraction: float, seed: int) -> None:
    held = stratified_split(labels, np.arange(len(labels)), fraction, seed)
    for label, total in Counter(labels).items():
        count = sum(h for h, one in zip(held, labels, strict=True) if one == label)
        assert count == min(max(int(fraction * total + 0.5), min(1, total - 1)), total - 1)


@given(st.data(), st.floats(0.0, 0.9), st.integers(0, 5))
def test_groups_stay_together_and_training_keeps_every_class(data: st.DataObject, fraction: float, seed: int) -> None:
    labels = data.draw(_labels)
    keys = data.draw(st.lists(st.integers(0, 8), min_size=len(labels), max_size=len(labels)))
    held = stratified_split(labels, np.array(keys), fraction, seed)
    assert len({(k, h) for k, h in zip(keys, held.tolist(), strict=True)}) == len(set(keys))
    assert {one for one, h in zip(labels, held, strict=True) if not h} == set(labels)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4)), min_size=4, max_size=30), st.integers(0, 5))
def test_groups_of_one_class_come_within_half_a_group(groups: list[tuple[str, int]], seed: int) -> None:
    labels = [label for label, size in groups for _ in range(size)]
    keys = [number for number, (_, size) in enumerate(groups) for _ in range(size)]
    held = stratified_split(labels, np.array(keys), 0.3, seed)
    for label in set(labels):
        sizes = [size for one, size in groups if one == label]
        count = sum(h for h, one in zip(held, labels, strict=True) if one == label)
        if len(sizes) > 1:
            assert count >= 1
            assert abs(count - 0.3 * sum(sizes)) <= max(sizes)


def test_large_groups_are_no_likelier_to_be_held_out() -> None:
    keys = [i // 2 for i in range(400)] + list(range(200, 800))  # 200 pairs and 600 lone examples
    shares = [stratified_split(["a"] * 1000, np.array(keys), 0.2, seed)[:400].mean() for seed in range(20)]
    assert 0.17 < np.mean(shares) < 0.23


def test_seed() -> None:
    labels = list("aabbcc" * 10)
    one, two, other = (stratified_split(labels, np.arange(60), 0.3, seed) for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_nothing_is_held_out_at_zero() -> None:
    assert not stratified_split(list("aabb"), np.arange(4), 0.0, 0).any()


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 30])
def test_an_impossible_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match="cannot be held out"):
        stratified_split(["a"], np.array([0]), fraction, 0)


@given(_labels, st.integers(2, 5), st.integers(0, 5))
def test_folds_are_even(labels: list[str], folds: int, seed: int) -> None:
    labels += list("abc" * 2)
    fold = stratified_folds(labels, np.arange(len(labels)), folds, seed)
    assert set(fold.tolist()) <= set(range(folds))
    for label in set(labels):
        counts = [sum(f == n and one == label for f, one in zip(fold, labels, strict=True)) for n in range(folds)]
        assert max(counts) - min(counts) <= 1


@given(st.data(), st.integers(2, 4))
def test_folds_keep_groups_together(data: st.DataObject, folds: int) -> None:
    labels = data.draw(_labels)
    keys = data.draw(st.lists(st.integers(0, 8), min_size=len(labels), max_size=len(labels)))
    if len(set(keys)) < folds:
        with pytest.raises(UsageError, match="use fewer folds"):
            stratified_folds(labels, np.array(keys), folds, 0)
        return
    fold = stratified_folds(labels, np.array(keys), folds, 0)
    assert len({(k, f) for k, f in zip(keys, fold.tolist(), strict=True)}) == len(set(keys))
    assert set(fold.tolist()) == set(range(folds))


def test_one_fold_is_refused() -> None:
    with pytest.raises(UsageError, match="use at least 2"):
        stratified_folds(list("ab"), np.array([0, 1]), 1, 0)
