"""From the text of a pattern to its layers, in order, with every repetition written out."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from multicnn.language.tree import PatternError, Unit, Value

# A slip such as *99999 would fill the memory before anybody saw it.
MOST_LAYERS = 2000
HINTS = {
    "_JOIN": "a space or ->",
    "NAME": "a layer",
    "LSQB": "[",
    "RSQB": "]",
    "NUMBER": "a number",
    "SIZE": "a number",
}
# What may stand almost anywhere says little about what is missing.
UNTOLD = ("_GAP", "STAR", "COLON", "SLASH", "MINUS", "OPTIONAL", "$END")


@cache
def _grammar() -> Lark:
    text = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def parse(pattern: str, variables: Mapping[str, int] | None = None) -> list[Unit]:
    """Takes a pattern apart.

    Args:
        pattern: such as `[[conv3-64 bn relu]*2 pool2]*3 fc`, or with arrows, as in textbooks. Upper and lower case
            are the same.
        variables: numbers that names stand for, as N in `[conv3-64 relu]*N`.

    Returns:
        The layers, a repeated one as often as it is repeated; INPUT, which is no layer, is left out.

    Raises:
        PatternError: it does not follow the grammar, or a name has no value.
    """
    try:
        tree: Tree[Token] = _grammar().parse(pattern)
    except UnexpectedInput as error:
        raise _refusal(pattern, error) from None
    known = {name.lower(): value for name, value in (variables or {}).items()}
    units = [unit for unit in _units(pattern, _trees(tree)[0], known) if unit.word != "input"]
    if not units:
        raise PatternError("a pattern has at least one layer, such as fc", pattern, 0, len(pattern))
    return units


def _units(pattern: str, tree: "Tree[Token]", known: Mapping[str, int]) -> Iterator[Unit]:
    """The layers below a sequence of the grammar."""
    count = 0
    for part in _trees(tree):
        found = [_unit(pattern, part, known)] if part.data == "layer" else list(_units(pattern, _trees(part)[0], known))
        times = _times(pattern, part, known)
        count += len(found) * times
        if count > MOST_LAYERS:
            raise PatternError(
                f"that are more than {MOST_LAYERS:,} layers; is a number too large?", pattern, *_columns(part)
            )
        for _ in range(times):
            yield from found


def _unit(pattern: str, layer: "Tree[Token]", known: Mapping[str, int]) -> Unit:
    word, values, stride, *rest = layer.children
    modifiers: dict[str, Value | None] = {}
    for one in rest:
        if isinstance(one, Tree) and one.data == "modifier":
            name, number = one.children
            modifiers[str(name).lower()] = None if number is None else _number(pattern, number, known)
    start, end = _columns(layer)
    times = _repetition(layer)
    optional = any(isinstance(one, Token) and one.type == "OPTIONAL" for one in rest)
    ends = _columns(times)[0] if times else end - optional
    return Unit(
        text=pattern[start:ends],
        word=str(word).lower(),
        values=tuple(_number(pattern, one, known) for one in values.children) if isinstance(values, Tree) else (),
        stride=_number(pattern, stride.children[0], known) if isinstance(stride, Tree) else None,
        modifiers=modifiers,
        optional=optional,
        start=start,
        end=ends,
        pattern=pattern,
    )


def _times(pattern: str, part: "Tree[Token]", known: Mapping[str, int]) -> int:
    """How often a layer or a group is repeated."""
    found = _repetition(part)
    if found is None:
        return 1
    times = _number(pattern, found.children[0], known)
    if not isinstance(times, int) or times < 0:
        raise PatternError(f"a layer is repeated 0, 1, 2, ... times, not {times}", pattern, *_columns(found))
    return times


def _number(pattern: str, token: Any, known: Mapping[str, int]) -> Value:
    if token.type == "SIZE":
        return tuple(map(int, token.split("x")))
    if token.type == "NUMBER":
        return float(token) if "." in token else int(token)
    if token.lower() not in known:
        told = f"{token} has no value; write a number in its place, or say --set model.options.{token}=2"
        raise PatternError(told, pattern, token.start_pos, token.end_pos)
    return known[token.lower()]


def _trees(tree: "Tree[Token]") -> list["Tree[Token]"]:
    """The parts that have parts themselves."""
    return [one for one in tree.children if isinstance(one, Tree)]


def _repetition(part: "Tree[Token]") -> "Tree[Token] | None":
    return next((one for one in _trees(part) if one.data == "times"), None)


def _columns(tree: "Tree[Token]") -> tuple[int, int]:
    return tree.meta.start_pos, tree.meta.end_pos


def _refusal(pattern: str, error: UnexpectedInput) -> PatternError:
    """What the parser stumbled over, and what would have fitted there."""
    unclosed = _unclosed(pattern)
    if unclosed is not None and not isinstance(error, UnexpectedCharacters):
        return PatternError("this [ is never closed; put a ] where the group ends", pattern, unclosed, unclosed + 1)
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        at, found = len(pattern), "the end of the pattern"
    else:
        at = int(error.pos_in_stream or 0)
        found = f'"{pattern[at]}"' if at < len(pattern) else "the end of the pattern"
    wanted: Any = getattr(error, "accepts", None) or getattr(error, "allowed", None) or getattr(error, "expected", ())
    told = sorted({HINTS.get(name, name) for name in wanted if name not in UNTOLD})
    fits = f"; here fits {' or '.join(told)}" if told else ""
    return PatternError(f"column {at + 1}: {found} does not fit{fits}", pattern, at, at + 1)


def _unclosed(pattern: str) -> int | None:
    """Where a bracket is opened that is never closed."""
    opened: list[int] = []
    for match in re.finditer(r"[\[\]]", pattern):
        if match[0] == "[":
            opened.append(match.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else None
