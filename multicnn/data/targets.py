"""Labels that are not one class an example: several of them, or a number to be estimated."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

SEPARATORS = ";|,"
LIST_MARKS = "[](){}\"' "  # what surrounds a class where a list was written as it is


def not_classes(labels: Sequence[str | None]) -> str | None:
    """Why labels cannot be learned as classes, and what to do; None where they can.

    Args:
        labels: one an example.
    """
    counts = Counter(map(str, labels))
    for separator in SEPARATORS:
        if several := _several_classes(counts, separator):
            return (
                f"labels such as {several!r} name several classes, and multi-label classification is not supported; "
                "give each example one class, or train one classifier for each class that tells it from the rest "
                f"(if it is the name of a single class, write it without {separator!r})"
            )
    if len(counts) > len(labels) / 2 and all(map(_is_number, counts)):
        return (
            f"the labels are {len(counts):,} different numbers on {len(labels):,} examples ({labels[0]}, ...), and "
            "regression is not supported; sort them into classes, such as low, middle and high"
        )
    return None


def _several_classes(counts: Mapping[str, int], separator: str) -> str | None:
    """A label that names several classes, where the labels with a separator mostly do.

    The parts of one class's name (`Washington, D.C.`, `animal|cat`) have their places; classes that stand side by side
    also stand alone, or now first and now second.

    Args:
        counts: how many examples have each label.
        separator: between the parts.
    """
    parts = {label: [part.strip(LIST_MARKS) for part in label.split(separator)] for label in counts}
    places: dict[str, set[object]] = defaultdict(set)
    for its in parts.values():
        for place, part in enumerate(its):
            places[part].add(place if len(its) > 1 else "alone")
    combined = {label: its for label, its in parts.items() if len(its) > 1 and all(its)}
    free = {label: sum(len(places[part]) > 1 for part in its) / len(its) for label, its in combined.items()}
    examples = sum(counts[label] for label in combined)
    if not combined or sum(counts[label] * share for label, share in free.items()) <= examples / 2:
        return None
    return max(combined, key=lambda label: (free[label], counts[label]))


def _is_number(label: str) -> bool:
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False
