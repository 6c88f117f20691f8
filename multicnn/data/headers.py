"""Which column of a manifest is what: by the names people use, or by the names that were given."""

import re
from dataclasses import dataclass, field

from multicnn.data.request import Columns
from multicnn.data.tables import Row
from multicnn.errors import UsageError, did_you_mean

# In order of preference. ESC-50, for one, has both `category` (a name) and `target` (its number).
_LABEL = ("label", "class", "category", "target")
_ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    kind: {
        "text": text,
        "path": ("path", "file", "filename", *own),
        "label": _LABEL,
        "split": ("split",),
        "fold": ("fold",),
        **span,
    }
    for kind, text, own, span in (
        ("image", (), ("image",), {}),
        ("audio", (), ("audio",), {"start": ("start",), "end": ("end",)}),
        ("text", ("text", "sentence"), (), {}),
    )
}


@dataclass(slots=True)
class Picked:
    """Where a manifest's columns stand, counted from 0; None where there is no such column."""

    text: int | None = None
    path: int | None = None
    label: int | None = None
    split: int | None = None
    fold: int | None = None
    group: int | None = None
    start: int | None = None
    end: int | None = None
    notes: list[str] = field(default_factory=list)

    def span(self, row: Row) -> tuple[str | None, str | None]:
        """What a row says of the start and the end, where it says anything."""
        start, end = (None if at is None else row[at] for at in (self.start, self.end))
        return start, end


def pick(name: str, header: list[str], kind: str, columns: Columns, labelled: bool) -> Picked:
    """Finds the columns.

    Args:
        name: the manifest's name, for messages.
        header: its columns.
        kind: "image", "audio" or "text".
        columns: the names that the user gave; they come first and must be there.
        labelled: whether a label column must be there.

    Raises:
        UsageError: a column is missing; the message lists those that are there.
    """
    picked = Picked()
    given = columns.given()
    aliases = _ALIASES[kind]
    for role, column in given.items():
        if column not in header:
            raise UsageError(f"{name} has no column {column}{did_you_mean(column, header)} ({_listed(header)})")
        setattr(picked, role, header.index(column))
    for role, names in aliases.items():
        if role not in given and not (role == "text" and "path" in given):
            setattr(picked, role, _find(name, role, names, header, picked))
    if picked.text is not None and "path" not in given:
        picked.path = None
    if picked.start is not None or picked.end is not None:
        picked.notes.append(f"{name}: of each recording only the seconds from its start to its end column are read")
    _check(name, header, picked, aliases, labelled)
    return picked


def fits(header: list[str], kind: str, columns: Columns) -> bool:
    """Whether a table can be a labelled manifest of a kind."""
    try:
        pick("", header, kind, columns, labelled=True)
    except UsageError:
        return False
    return True


def label_key(keys: list[str], columns: Columns) -> str | None:
    """The key of a JSON object that is its label: the one that was named, or the first with a usual name."""
    if columns.label is not None:
        return columns.label if columns.label in keys else None
    found = _find("", "label", _LABEL, keys, Picked())
    return None if found is None else keys[found]


def _find(name: str, role: str, names: tuple[str, ...], header: list[str], picked: Picked) -> int | None:
    """The first of the names that the header has, whatever its case; `file_name` counts as `filename`."""
    plain = [re.sub(r"[\s_-]", "", column).casefold() for column in header]
    there = [plain.index(one) for one in names if one in plain]
    if not there:
        return None
    if plain.count(plain[there[0]]) > 1:
        raise UsageError(f"{name} has more than one {header[there[0]]} column ({_listed(header)})")
    if len(there) > 1:
        others = ", ".join(header[i] for i in there[1:])
        picked.notes.append(
            f"{name}: column {header[there[0]]} is taken as the {role} (not {others}; --{role}-column says otherwise)"
        )
    return there[0]


def _check(name: str, header: list[str], picked: Picked, aliases: dict[str, tuple[str, ...]], labelled: bool) -> None:
    """A content column must be there, and a label column where labels are needed."""
    if picked.text is None and picked.path is None:
        looked_for = ", ".join((*aliases["text"], *aliases["path"]))
        option = "--text-column" if aliases["text"] else "--path-column"
        raise UsageError(f"{name} has no column {looked_for} ({_listed(header)}); name it with {option}")
    if labelled and picked.label is None:
        raise UsageError(f"{name} has no column {', '.join(_LABEL)} ({_listed(header)}); name it with --label-column")


def _listed(header: list[str]) -> str:
    shown = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
    return f"its columns are: {shown}"
