"""Cutting data into parts and folds: by class, by group, by seed."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from multicnn.data.strings import each_number
from multicnn.errors import UsageError

Mixture = tuple[tuple[int, int], ...]  # pairs of class number and count


def stratified_split(labels: Sequence[str | None], keys: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Holds out a fraction of each class; examples with equal keys stay together.

    Of n examples of a class, round(fraction * n) are held out, at least one and never all, as far as groups allow: a
    class that lies in a single group stays whole, on the side of training. Groups are taken in random order, so that
    large groups are as likely to be held out as small ones.

    Args:
        labels: the class of each example.
        keys: the number of each example's group, from 0 on, [examples]; one of its own where it stands alone.
        fraction: the share to hold out, from 0 up to but not including 1.
        seed: the same seed gives the same split.

    Returns:
        True for the held-out examples, [examples].

    Raises:
        UsageError: the fraction is out of range.
    """
    if not 0 <= fraction < 1:
        raise UsageError(f"a part of {fraction:g} of the data cannot be held out; use a fraction from 0 up to 1")
    groups = _Groups(labels, keys)
    totals = groups.totals
    targets = np.clip(np.floor(fraction * totals + 0.5).astype(int), np.minimum(1, totals - 1), totals - 1)
    if fraction == 0:
        targets[:] = 0
    filling = _Filling(groups, targets.tolist())
    order = np.random.default_rng(seed).permutation(groups.count)
    for take in (filling.take_if_it_fits, filling.take_if_it_gets_nearer):
        for group in each_number(order):
            if filling.is_full:  # of a million texts a tenth is enough
                break
            take(group)
    if fraction > 0:
        filling.give_every_class_one(order)
    held_out: np.ndarray = np.frombuffer(filling.taken, bool)[groups.of]
    return held_out


def stratified_folds(labels: Sequence[str | None], keys: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deals the examples of each class out to folds, evenly; examples with equal keys stay together.

    Where every example stands alone, a class's counts in two folds differ by one at most, and so do the folds' sizes.

    Args:
        labels: the class of each example.
        keys: the number of each example's group, from 0 on, [examples]; one of its own where it stands alone.
        folds: how many folds, at least 2.
        seed: the same seed gives the same folds.

    Returns:
        The fold of each example, 0 to folds - 1, [examples].

    Raises:
        UsageError: fewer than two folds, or fewer groups than folds.
    """
    groups = _Groups(labels, keys)
    if folds < 2:
        raise UsageError(f"{folds} folds make no cross-validation; use at least 2")
    if groups.count < folds:
        raise UsageError(
            f"{folds} folds need as many groups of examples, and there are {groups.count}; use fewer folds"
        )
    order = np.random.default_rng(seed).permutation(groups.count).tolist()
    # Large groups first, so that small ones can even out what they upset; then class by class, which deals evenly.
    order.sort(key=lambda group: (-sum(n for _, n in groups.classes(group)), groups.classes(group)[0][0]))
    held = [[0] * folds for _ in groups.totals]
    sizes = [0] * folds
    fold_of = np.zeros(groups.count, np.int64)
    for group in order:
        counts = groups.classes(group)
        fold = min(range(folds), key=lambda f: (sum(n * held[c][f] / groups.totals[c] for c, n in counts), sizes[f]))
        fold_of[group] = fold
        for label, count in counts:
            held[label][fold] += count
            sizes[fold] += count
    dealt: np.ndarray = fold_of[groups.of]
    return dealt


class _Groups:
    """Groups of examples, numbered by first appearance, and the classes in each.

    Attributes:
        count: how many there are.
        of: the group of each example, [examples].
        totals: how many examples each class has, [classes].
    """

    def __init__(self, labels: Sequence[str | None], keys: np.ndarray) -> None:
        numbers = {label: number for number, label in enumerate(sorted(set(labels), key=str))}
        class_of = np.fromiter(map(numbers.__getitem__, labels), np.int32, len(labels))
        self.totals = np.bincount(class_of, minlength=len(numbers))
        self.of = _by_appearance(keys)
        self.count = int(self.of.max(initial=-1)) + 1
        # Most groups are one example, and there are few mixtures beside: a million groups share them.
        self._mixtures: list[Mixture] = [((number, 1),) for number in numbers.values()]
        alone = np.bincount(self.of)[self.of] == 1
        mixture_of = np.zeros(self.count, np.int32)
        mixture_of[self.of[alone]] = class_of[alone]
        known: dict[Mixture, int] = {}
        for group, mixture in _mixtures(self.of[~alone], class_of[~alone]):
            if mixture not in known:
                known[mixture] = len(self._mixtures)
                self._mixtures.append(mixture)
            mixture_of[group] = known[mixture]
        self._mixture_of = array("i", mixture_of.tobytes())

    def classes(self, group: int) -> Mixture:
        """What is in a group."""
        return self._mixtures[self._mixture_of[group]]


def _by_appearance(keys: np.ndarray) -> np.ndarray:
    """Numbers the keys in the order in which they first appear, int32 [examples]."""
    places = np.arange(len(keys), dtype=np.int32)
    first = np.empty(int(keys.max(initial=0)) + 1, np.int32)
    first[keys[::-1]] = places[::-1]  # the last that is written stays
    first = first[keys]
    return np.asarray((np.cumsum(first == places, dtype=np.int32) - np.int32(1))[first])


def _mixtures(groups: np.ndarray, classes: np.ndarray) -> Iterator[tuple[int, Mixture]]:
    """The groups of some examples, and what is in each."""
    count = int(classes.max(initial=0)) + 1
    pairs, counts = np.unique(groups.astype(np.int64) * count + classes, return_counts=True)
    for group, its in groupby(zip(each_number(pairs), each_number(counts), strict=True), lambda one: one[0] // count):
        yield group, tuple((pair % count, size) for pair, size in its)


class _Filling:
    """The held-out part while it is being filled, group by group."""

    def __init__(self, groups: _Groups, targets: list[int]) -> None:
        self.groups = groups
        self.targets = targets
        self.totals: list[int] = groups.totals.tolist()
        self.held = [0] * len(targets)
        self.taken = bytearray(groups.count)

    @property
    def is_full(self) -> bool:
        """Whether each class has what is its due: no group would bring it nearer."""
        return self.held == self.targets

    def take_if_it_fits(self, group: int) -> None:
        """Takes a group that overshoots no class's target."""
        if all(self.held[c] + n <= self.targets[c] for c, n in self.groups.classes(group)):
            self._take(group)

    def take_if_it_gets_nearer(self, group: int) -> None:
        """Takes a group that overshoots, but ends nearer to the targets than without it."""
        if not self.taken[group] and self._leaves_training(group) and self._change(group) < 0:
            self._take(group)

    def give_every_class_one(self, order: np.ndarray) -> None:
        """Takes for each class without a held-out example the group that costs least."""
        for label, held in enumerate(self.held):
            if held or self.held[label]:
                continue
            having = (g for g in each_number(order) if any(c == label for c, _ in self.groups.classes(g)))
            able = [g for g in having if self._leaves_training(g)]
            if able:
                self._take(min(able, key=self._change))

    def _take(self, group: int) -> None:
        self.taken[group] = True
        for label, count in self.groups.classes(group):
            self.held[label] += count

    def _leaves_training(self, group: int) -> bool:
        return all(self.held[c] + n < self.totals[c] for c, n in self.groups.classes(group))

    def _change(self, group: int) -> int:
        """By how many examples taking a group moves the classes away from their targets."""
        pairs = self.groups.classes(group)
        return sum(abs(self.held[c] + n - self.targets[c]) - abs(self.held[c] - self.targets[c]) for c, n in pairs)
