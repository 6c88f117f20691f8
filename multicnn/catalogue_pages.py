"""docs/architectures.md, docs/blocks.md and docs/language.md, made from the tables and the docstrings.

python -m multicnn.catalogue_pages [FOLDER]
"""

import csv
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from multicnn.catalogue import VOCABULARY, Entry, architecture_class, entries
from multicnn.data.files import write_atomically
from multicnn.language.page import language_page

MADE = "<!-- made by python -m multicnn.catalogue_pages; change the docstrings, not this page -->"
PIPELINES = {"image": "Pictures", "audio": "Sounds", "text": "Texts", "tokens": "Tags for words"}
CONTRACT = Path(__file__).parents[1] / "docs" / "contract.csv"  # written by `make test-all`
SIGNS = {"passed": "✔", "failed": "✘"}
SECTIONS = ("Args", "Returns", "Raises", "Attributes")


def architectures_page() -> str:
    """docs/architectures.md: a table for each pipeline, then what each family's docstring says."""
    every = entries()
    parts = [
        MADE,
        "# Architectures",
        "Every network that `--arch` takes by name, besides `torchvision:NAME` and `timm:NAME`; others can be "
        "written out ([language.md](language.md)). Parameters are counted at the "
        "paper's own input and classes, without auxiliary heads, which only training uses; texts with a vocabulary of "
        f"{VOCABULARY:,} words, or their paper's alphabet. "
        "`multicnn arch show NAME` goes through one layer by layer ([arch.md](arch.md)).",
        "The contract is the whole way in each pipeline: trained, exported, measured, predicted; the loss goes down, "
        "and one seed gives one model. ✔ and ✘ tell what came of it in the last `make test-all` "
        f"({CONTRACT.name}{_versions()}); · is an architecture that it has not seen yet.",
    ]
    for pipeline, title in PIPELINES.items():
        found = [one for one in every if pipeline in one.pipelines]
        only = [one for one in found if one.pipelines == (pipeline,) or pipeline == "image"]
        parts.append(f"## {title}")
        if len(only) < len(found):
            parts.append("Every architecture for pictures takes spectrograms, as pictures of one channel.")
        if only:
            parts.append(_table(only))
    parts.append("## What each of them is")
    parts += _families(every)
    return "\n\n".join(parts) + "\n"


def blocks_page() -> str:
    """docs/blocks.md: every public module of `multicnn.blocks` with its classes, and its functions in a line each."""
    parts = [
        MADE,
        "# Blocks",
        "What the networks are built from. `dims=` is the number of axes that a block works on: 1 for sequences, 2 for "
        "pictures, 3 for volumes; a shape such as [batch, channels, ...] has that many axes behind the channels.",
    ]
    package = import_module("multicnn.blocks")
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        module = import_module(f"multicnn.blocks.{found.name}")
        parts += [f"## {found.name}", _escaped(_first_line(module)), *_members(module)]
    return "\n\n".join(parts) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "architectures.md": architectures_page,
    "blocks.md": blocks_page,
    "language.md": lambda: f"{MADE}\n\n{language_page()}",
}


def write_pages(folder: Path) -> None:
    """Writes all pages."""
    for name, make in PAGES.items():
        write_atomically(folder / name, make())


def _contract() -> list[dict[str, str]]:
    """What came of the contract's tests: a row for each pipeline and architecture that was tested."""
    if not CONTRACT.exists():
        return []
    with CONTRACT.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _versions() -> str:
    """With which torch the contract was tested."""
    found = sorted({row["torch"] for row in _contract()})
    return f", torch {' and '.join(found)}" if found else ""


def _outcomes(one: Entry) -> str:
    """An architecture's outcome in each of its pipelines: `image ✔, audio ·`."""
    found = {(row["pipeline"], row["architecture"]): SIGNS[row["outcome"]] for row in _contract()}
    return ", ".join(f"{pipeline} {found.get((pipeline, one.name), '·')}" for pipeline in one.pipelines)


def _table(rows: list[Entry]) -> str:
    lines = ["| name | input | classes | parameters | contract | the idea |", "|---|---|---:|---:|---|---|"]
    for one in rows:
        size = " x ".join(map(str, one.input))
        cells = (f"`{one.name}`", size, f"{one.classes:,}", f"{one.parameters:,}", _outcomes(one), _escaped(one.idea))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _families(every: list[Entry]) -> Iterator[str]:
    """Each class that has settings, once, with the names that stand for it and its kin."""
    families: dict[type, list[Entry]] = {}
    for one in every:
        families.setdefault(_family(architecture_class(one.name)), []).append(one)
    for family, members in families.items():
        yield f"### {family.__name__}: {', '.join(f'`{one.name}`' for one in members)}"
        yield _markdown(family)
        kin = [(one.name, architecture_class(one.name)) for one in members]
        lines = [f"- `{name}`: {_one_line(kind)}" for name, kind in kin if kind is not family and kind.__doc__]
        if lines:
            yield "\n".join(lines)


def _family(kind: type) -> type:
    """The class that says what the arguments are: itself or a base."""
    return next((one for one in kind.__mro__ if "Args:" in (one.__doc__ or "")), kind)


def _members(module: ModuleType) -> Iterator[str]:
    from torch import nn

    own = [(name, one) for name, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__]
    public = [(name, one) for name, one in own if not name.startswith("_")]
    for name, one in public:
        if inspect.isclass(one) and issubclass(one, nn.Module):
            yield f"### {name}"
            yield f"`{name}({_arguments(one)})`"
            yield _markdown(one)
    rest = [
        f"- `{name}`: {_escaped(_first_line(one))}"
        for name, one in public
        if one.__doc__ and (inspect.isfunction(one) or (inspect.isclass(one) and not issubclass(one, nn.Module)))
    ]
    if rest:
        yield "### Besides"
        yield "\n".join(rest)


def _arguments(kind: type) -> str:
    """What a class takes, with the defaults."""
    from torch import nn

    if kind.__init__ in (nn.Module.__init__, nn.Sequential.__init__):  # type: ignore[misc]
        return ""
    bare = [one.replace(annotation=one.empty) for one in inspect.signature(kind).parameters.values()]
    return str(inspect.Signature(bare))[1:-1]


def _markdown(one: Any) -> str:
    """A docstring as Markdown: paragraphs as they are, the arguments as a list."""
    blocks = []
    for paragraph in inspect.cleandoc(one.__doc__ or "").split("\n\n"):
        head, _, rest = paragraph.partition("\n")
        if head.rstrip(":") in SECTIONS and head.endswith(":"):
            items = re.split(r"\n(?=\S)", inspect.cleandoc(rest))
            told = {"Raises": "raises ", "Returns": "returns "}.get(head[:-1], "")
            blocks.append("\n".join(_item(told, " ".join(item.split())) for item in items))
        else:
            blocks.append(_escaped(paragraph))
    return re.sub(r"\n\n(?=- (raises|returns) )", "\n", "\n\n".join(blocks))


def _item(told: str, line: str) -> str:
    """A line of a list: `name: what it is` has its name set as code."""
    names, colon, text = line.partition(": ")
    if not colon or not all(name.strip().isidentifier() for name in names.split(",")):
        return f"- {told}{_escaped(line)}"
    return f"- {told}{', '.join(f'`{name.strip()}`' for name in names.split(','))}: {_escaped(text)}"


def _one_line(one: Any) -> str:
    """A whole docstring as one line."""
    return _escaped(" ".join(inspect.cleandoc(one.__doc__).split()))


def _first_line(one: Any) -> str:
    return inspect.cleandoc(one.__doc__ or "").partition("\n")[0]


def _escaped(text: str) -> str:
    """Nothing in it means something to Markdown but code between backticks."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*|<\\])", r"\\\1", piece) for piece in pieces)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
