"""What `multicnn arch` prints: the catalogue, the account of a network, a comparison."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from multicnn.catalogue import Account, Entry, largest
from multicnn.cli.render import _console, _table, printable

if TYPE_CHECKING:
    from multicnn.blocks.layers import Layer

FIGURES = {
    "parameters": "parameters",
    "multiply_adds": "mult-adds",
    "forward_bytes": "forward",
    "backward_bytes": "backward",
}
MOST = {"parameters": "parameters", "multiply_adds": "multiply-adds", "backward_bytes": "memory in training"}
LEGEND = "forward, backward: memory for outputs, and for what training keeps; field: what one place sees of the input"
UNITS = {1e9: "G", 1e6: "M", 1e3: "k"}


def print_entries(entries: Sequence[Entry]) -> None:
    """A line for each architecture."""
    table = _table("name", "input", "classes", "parameters")
    table.add_column("idea", overflow="fold")
    for one in entries:
        table.add_row(one.name, by(one.input), f"{one.classes:,}", f"{one.parameters:,}", one.idea)
    _console().print(table)


def print_account(account: Account) -> None:
    """A line for each layer that costs something, the totals, and where most of it is."""
    console = _console()
    table = _table("layer")
    table.add_column("kind")
    for name in ("output", *FIGURES.values(), "field"):
        table.add_column(name, justify="right")
    for column in table.columns:
        column.overflow = "fold"  # nothing is lost on a narrow terminal
    layers = [layer for layer in account.layers if any(getattr(layer, figure) for figure in FIGURES)]
    for layer in layers:
        table.add_row(*_cells(layer))
    table.add_section()
    totals = [_figure(figure, account.total(figure)) for figure in FIGURES]
    totals[0] = f"{account.parameters:,}"
    table.add_row(
        printable(account.name), f"{len(layers)} layers", by(account.input), *totals, by(account.receptive_field)
    )
    console.print(table)
    console.print()
    for figure, name in MOST.items():
        console.print(f"most {name}: {_where(layers, figure)}")
    console.print(f"{LEGEND}; {account.classes:,} classes")


def print_comparison(accounts: Sequence[Account], seconds: Sequence[float]) -> None:
    """A line for each network."""
    table = _table("name", "input", "classes", "layers", *FIGURES.values(), "field", "time per example")
    for one, time in zip(accounts, seconds, strict=True):
        totals = [_figure(figure, one.total(figure)) for figure in FIGURES]
        totals[0] = f"{one.parameters:,}"
        weighty = sum(layer.parameters > 0 and layer.multiply_adds > 0 for layer in one.layers)
        cells = (f"{one.classes:,}", str(weighty), *totals, by(one.receptive_field), f"{1000 * time:,.1f} ms")
        table.add_row(printable(one.name), by(one.input), *cells)
    _console().print(table)


def by(sizes: Sequence[int] | None) -> str:
    """(3, 224, 224) as 3x224x224; nothing for no sizes."""
    return "x".join(map(str, sizes or ()))


def _cells(layer: "Layer") -> list[str]:
    figures = [_figure(figure, getattr(layer, figure)) for figure in FIGURES]
    return [layer.name or "(whole)", layer.kind, by(layer.output), *figures, by(layer.receptive_field)]


def _figure(figure: str, value: int) -> str:
    """Parameters to the last one; the others rounded, with a unit."""
    if not value:
        return "·"
    if figure == "parameters":
        return f"{value:,}"
    byte = "B" if figure.endswith("bytes") else ""
    size, unit = next(((size, unit) for size, unit in UNITS.items() if value >= size), (1, ""))
    return f"{value / size:.1f} {unit}{byte}" if unit else f"{value} {byte}".strip()


def _where(layers: "Sequence[Layer]", figure: str) -> str:
    """The three layers with the most of it, each with its share."""
    total = sum(getattr(layer, figure) for layer in layers)
    shares = (
        f"{layer.name or layer.kind} {100 * getattr(layer, figure) / total:.0f} %" for layer in largest(layers, figure)
    )
    return ", ".join(shares) or "none"
