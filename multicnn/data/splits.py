"""Cutting data into parts and folds: by class, by group, by seed."""

from collections.abc import Hashable, Sequence

import numpy as np

from multicnn.errors import UsageError


def stratified_split(labels: Sequence[str], keys: Sequence[Hashable], fraction: float, seed: int) -> np.ndarray:
    """Holds out a fraction of each class; examples with equal keys stay together.

    Of n examples of a class, round(fraction * n) are held out, at least one and never all, as far as groups allow: a
    class that lies in a single group stays whole, on the side of training. Groups are taken in random order, so that
    large groups are as likely to be held out as small ones.

    Args:
        labels: the class of each example.
        keys: the group of each example; one of its own where it stands alone.
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
    order: list[int] = np.random.default_rng(seed).permutation(len(groups.counts)).tolist()
    for take in (filling.take_if_it_fits, filling.take_if_it_gets_nearer):
        for group in order:
            if filling.is_full:  # of a million texts a tenth is enough
                break
            take(group)
    if fraction > 0:
        filling.give_every_class_one(order)
    return np.array([filling.taken[group] for group in groups.of], dtype=bool)


def stratified_folds(labels: Sequence[str], keys: Sequence[Hashable], folds: int, seed: int) -> np.ndarray:
    """Deals the examples of each class out to folds, evenly; examples with equal keys stay together.

    Where every example stands alone, a class's counts in two folds differ by one at most, and so do the folds' sizes.

    Args:
        labels: the class of each example.
        keys: the group of each example; one of its own where it stands alone.
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
    if len(groups.counts) < folds:
        raise UsageError(
            f"{folds} folds need as many groups of examples, and there are {len(groups.counts)}; use fewer folds"
        )
    order = np.random.default_rng(seed).permutation(len(groups.counts)).tolist()
    # Large groups first, so that small ones can even out what they upset; then class by class, which deals evenly.
    order.sort(key=lambda group: (-sum(n for _, n in groups.counts[group]), groups.counts[group][0][0]))
    held = [[0] * folds for _ in groups.totals]
    sizes = [0] * folds
    fold_of = [0] * len(groups.counts)
    for group in order:
        counts = groups.counts[group]
        fold = min(range(folds), key=lambda f: (sum(n * held[c][f] / groups.totals[c] for c, n in counts), sizes[f]))
        fold_of[group] = fold
        for label, count in counts:
            held[label][fold] += count
            sizes[fold] += count
    return np.array([fold_of[group] for group in groups.of], dtype=np.int64)


class _Groups:
    """Groups of examples, numbered by first appearance, and the classes in each.

    Attributes:
        of: the group of each example.
        counts: for each group, pairs of class number and count.
        totals: how many examples each class has, [classes].
    """

    def __init__(self, labels: Sequence[str], keys: Sequence[Hashable]) -> None:
        numbers: dict[Hashable, int] = {}
        classes = {label: number for number, label in enumerate(sorted(set(labels)))}
        self.of = [numbers.setdefault(key, len(numbers)) for key in keys]
        class_of = np.array([classes[label] for label in labels], dtype=int)
        self.totals = np.bincount(class_of, minlength=len(classes))
        pairs, counts = np.unique(np.array(self.of, dtype=int) * len(classes) + class_of, return_counts=True)
        self.counts: list[tuple[tuple[int, int], ...]] = [()] * len(numbers)
        alike: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}  # a million groups of one share few tuples
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            group, number = divmod(pair, len(classes))
            self.counts[group] += alike.setdefault((number, count), ((number, count),))


class _Filling:
    """The held-out part while it is being filled, group by group."""

    def __init__(self, groups: _Groups, targets: list[int]) -> None:
        self.groups = groups
        self.targets = targets
        self.totals: list[int] = groups.totals.tolist()
        self.held = [0] * len(targets)
        self.taken = [False] * len(groups.counts)

    @property
    def is_full(self) -> bool:
        """Whether each class has what is its due: no group would bring it nearer."""
        return self.held == self.targets

    def take_if_it_fits(self, group: int) -> None:
        """Takes a group that overshoots no class's target."""
        if all(self.held[c] + n <= self.targets[c] for c, n in self.groups.counts[group]):
            self._take(group)

    def take_if_it_gets_nearer(self, group: int) -> None:
        """Takes a group that overshoots, but ends nearer to the targets than without it."""
        if not self.taken[group] and self._leaves_training(group) and self._change(group) < 0:
            self._take(group)

    def give_every_class_one(self, order: list[int]) -> None:
        """Takes for each class without a held-out example the group that costs least."""
        for label, held in enumerate(self.held):
            if held or self.held[label]:
                continue
            able = [g for g in order if any(c == label for c, _ in self.groups.counts[g]) and self._leaves_training(g)]
            if able:
                self._take(min(able, key=self._change))

    def _take(self, group: int) -> None:
        self.taken[group] = True
        for label, count in self.groups.counts[group]:
            self.held[label] += count

    def _leaves_training(self, group: int) -> bool:
        return all(self.held[c] + n < self.totals[c] for c, n in self.groups.counts[group])

    def _change(self, group: int) -> int:
        """By how many examples taking a group moves the classes away from their targets."""
        pairs = self.groups.counts[group]
        return sum(abs(self.held[c] + n - self.targets[c]) - abs(self.held[c] - self.targets[c]) for c, n in pairs)
