"""The words of the language: every layer that a pattern can name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from multicnn.errors import did_you_mean
from multicnn.language.place import Place
from multicnn.language.tree import Unit, Value

REQUIRED = object()
FLAGS = ("same", "valid", "floor", "reflect", "replicate", "circular")  # modifiers without a number


@dataclass(frozen=True, slots=True)
class Number:
    """A number behind a word.

    Attributes:
        name: what it is, for errors.
        default: what it is where it is left out; REQUIRED where it cannot be.
        kind: `size` (a whole number, or one for each axis), `count` (a whole number) or `share` (0 to below 1).
        many: whether any number of them may follow.
    """

    name: str
    default: Any = REQUIRED
    kind: str = "count"
    many: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A kind of layer.

    Attributes:
        form: how it is written, for the page and for errors.
        says: what it is, in a line.
        make: builds it from the layer, its place and its numbers.
        numbers: what follows the word.
        modifiers: what may follow a colon.
        strides: whether a slash and a step may follow.
        dims: on how many axes it works; 0 is a vector.
    """

    form: str
    says: str
    make: Callable[..., nn.Module]
    numbers: tuple[Number, ...] = ()
    modifiers: tuple[str, ...] = ()
    strides: bool = False
    dims: tuple[int, ...] = (1, 2, 3)

    def layer(self, unit: Unit, place: Place) -> nn.Module:
        """Builds the layer.

        Raises:
            PatternError: numbers or modifiers that it does not take, or a place where it does not fit.
        """
        self._check(unit, place)
        try:
            return self.make(unit, place, *self._numbers(unit))
        except (ValueError, TypeError) as error:
            raise unit.error(f": {str(error).partition(chr(10))[0]}") from None

    def _check(self, unit: Unit, place: Place) -> None:
        if unit.stride is not None and not self.strides:
            raise unit.error(f" takes no step behind a slash; it is written like {self.form}")
        for name, value in unit.modifiers.items():
            if name not in self.modifiers:
                near = did_you_mean(name, self.modifiers) or f"; it takes {_listed(self.modifiers)}"
                raise unit.error(f" takes no :{name}{near}")
            if (value is None) != (name in FLAGS):
                raise unit.error(f": :{name} {'takes no number' if name in FLAGS else f'needs a number, as :{name}2'}")
        if place.dims not in self.dims:
            if not place.dims:
                raise unit.error(f" needs maps, and here is a vector of {place.channels} already")
            axes = " or ".join(map(str, self.dims)) + (" axis" if self.dims == (1,) else " axes")
            raise unit.error(f" works on {axes}, and here are {place.dims} ({place.shape()})")

    def _numbers(self, unit: Unit) -> list[Value]:
        """The numbers, with the defaults for those that are left out."""
        values = list(unit.values)
        found: list[Any] = []
        for number in self.numbers:
            if number.many:
                found += [_checked(unit, number, value) for value in values] or _default(unit, number, self.form)
                values = []
            elif values:
                found.append(_checked(unit, number, values.pop(0)))
            else:
                found += _default(unit, number, self.form)
        if values:
            raise unit.error(f" has more numbers than it takes; it is written like {self.form}")
        return found


def _checked(unit: Unit, number: Number, value: Value) -> Value:
    if isinstance(value, tuple) and number.kind != "size":
        raise unit.error(f": the {number.name} is one number, not {'x'.join(map(str, value))}")
    if number.kind == "share":
        if isinstance(value, tuple) or not 0 <= value < 1:
            raise unit.error(f": the {number.name} is a share from 0 to below 1, not {value}")
        return float(value)
    if isinstance(value, float) or (isinstance(value, int) and value < 1):
        raise unit.error(f": the {number.name} is a whole number from 1 on, not {value}")
    return value


def _default(unit: Unit, number: Number, form: str) -> list[Any]:
    if number.default is REQUIRED:
        raise unit.error(f" lacks its {number.name}; it is written like {form}")
    return list(number.default) if number.many else [number.default]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f":{name}" for name in names) or "none"
