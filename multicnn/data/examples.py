"""Many examples: what they are is kept in columns, and each is put together when it is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np

from multicnn.data.example import Example, Held, Trouble
from multicnn.data.order import natural_key
from multicnn.data.strings import StringPacker, Strings, ValuePacker, Values

PACKED_AT_ONCE = 1 << 10  # which is quicker than one by one


class Things(list[Held]):
    """Contents that are no plain texts."""

    def take(self, which: np.ndarray) -> "Things":
        """Some of them, by their places."""
        return Things(map(self.__getitem__, which.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Examples(Sequence[Example]):
    """A sequence of examples. A million texts take 50 MB here, and as objects of their own 350.

    Args:
        names: as in `Example`, and so are the others.
        contents: plain texts lie packed.
        labels: likewise.
        splits: likewise.
        folds: likewise.
        groups: likewise.
    """

    names: Strings
    contents: Strings | Things
    labels: Values
    splits: Values
    folds: Values
    groups: Values

    @classmethod
    def of(cls, examples: Iterable[Example] = ()) -> "Examples":
        """Of single ones."""
        packer = ExamplePacker()
        packer.extend(examples)
        return packer.packed()

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> "Examples": ...
    def __getitem__(self, index: int | slice) -> "Example | Examples":
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        values = self.labels[index], self.splits[index], self.folds[index], self.groups[index]
        return Example(self.names[index], self.contents[index], *values)

    def __iter__(self) -> Iterator[Example]:
        return map(Example, *self._columns)

    @property
    def _columns(self) -> tuple[Strings, Strings | Things, Values, Values, Values, Values]:
        return self.names, self.contents, self.labels, self.splits, self.folds, self.groups

    @property
    def texts(self) -> Strings:
        """The contents of texts."""
        assert isinstance(self.contents, Strings), "texts are read when their data set is opened"
        return self.contents

    def take(self, which: np.ndarray) -> "Examples":
        """Some of them: places, or whether each is among them."""
        if which.dtype == bool and which.all():
            return self
        places = np.flatnonzero(which) if which.dtype == bool else which
        return Examples(*(column.take(places) for column in self._columns))  # type: ignore[arg-type]


class ExamplePacker:
    """Packs examples as they come."""

    def __init__(self) -> None:
        self._waiting: list[Example] = []
        self._names, self._texts, self._things = StringPacker(), StringPacker(), Things()
        self._labels, self._splits, self._folds, self._groups = (ValuePacker() for _ in range(4))

    def __len__(self) -> int:
        return len(self._names) + len(self._waiting)

    def add(self, example: Example) -> None:
        """Puts an example behind the others; either all contents are plain texts, or none."""
        self._waiting.append(example)
        if len(self._waiting) >= PACKED_AT_ONCE:
            self._pack()

    def extend(self, examples: Iterable[Example]) -> None:
        """Puts several behind the others."""
        for example in examples:
            self.add(example)

    def packed(self) -> Examples:
        """All of them."""
        self._pack()
        contents = self._things or self._texts.packed()
        assert len(contents) == len(self), "texts stand among other contents"
        values = (one.packed() for one in (self._labels, self._splits, self._folds, self._groups))
        return Examples(self._names.packed(), contents, *values)

    def _pack(self) -> None:
        some, self._waiting = self._waiting, []
        self._names.extend(one.name for one in some)
        self._texts.extend(one.content for one in some if type(one.content) is str)
        self._things.extend(one.content for one in some if type(one.content) is not str)
        self._labels.extend(one.label for one in some)
        self._splits.extend(one.split for one in some)
        self._folds.extend(one.fold for one in some)
        self._groups.extend(one.group for one in some)


def classes(*parts: Examples) -> list[str]:
    """The classes that occur, in natural order ("2" before "10")."""
    occurring = {label for part in parts for label in part.labels.occurring() if label is not None}
    return sorted(occurring, key=natural_key)


@dataclass(slots=True)
class DataSet:
    """All examples of a data set, in the order of its manifest or in natural order of the paths.

    Args:
        origin: what the user called it.
        kind: "image", "audio", "text" or "tokens".
        examples: what can be used.
        troubles: what was left out; the command ends with status 3 when there are any.
        notes: what the user should know and is no fault.
    """

    origin: str
    kind: str
    examples: Examples = field(default_factory=Examples.of)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """The classes that occur, in natural order."""
        return classes(self.examples)

    def part(self, split: str) -> Examples:
        """The examples of one part: "train", "validation" or "test"."""
        return self.examples.take(self.examples.splits.are(split))
