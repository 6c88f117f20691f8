"""What people see: tables on standard output, and JSON. rich is imported where a table is drawn."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from multicnn.bundle.read import Bundle

WIDE = 160  # columns where standard output is no terminal
LARGEST_CONFUSION = 12  # classes; a larger matrix fits no terminal
BAR = 30  # signs of the longest bar
RATES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "top5_accuracy": "top-5 accuracy",
}
OF_SPANS = {"span_precision": "span precision", "span_recall": "span recall", "span_f1": "span F1"}
SMALL_IS_GOOD = {"log_loss": "log loss", "ece": "calibration error (ECE)"}


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.buffer.write(json_bytes(value))
    sys.stdout.buffer.flush()


def json_bytes(value: dict[str, Any]) -> bytes:
    """One JSON object, indented, UTF-8 whatever the terminal's locale."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace") + b"\n"


def print_metrics(figures: dict[str, Any]) -> None:
    """The overall figures, a line for each class, and the confusion matrix where it is not too large."""
    console = _console()
    overall = _table()
    of = "words" if "spans" in figures else "examples"
    overall.add_column(of)
    overall.add_column(f"{figures['count']:,}", justify="right")
    for key, name in (RATES | OF_SPANS).items():
        if key in figures:
            overall.add_row(name, _percent(figures[key]))
    for key, name in SMALL_IS_GOOD.items():
        overall.add_row(name, f"{figures[key]:.4f}")
    console.print(overall)
    console.print()
    console.print(_per_class("tag" if of == "words" else "class", of, figures["per_class"]))
    if "per_type" in figures:
        console.print()
        console.print(_per_class("type", "spans", figures["per_type"]))
    if len(figures["confusion"]["labels"]) <= LARGEST_CONFUSION:
        console.print()
        console.print(_confusion(figures["confusion"]))


def _per_class(what: str, of: str, rates: dict[str, dict[str, Any]]) -> "Table":
    """A line for each class, or for each type of spans."""
    table = _table(what, "precision", "recall", "F1", of)
    for name, one in rates.items():
        shown = [_percent(one[rate]) for rate in ("precision", "recall", "f1")]
        table.add_row(printable(name), *shown, f"{one['count']:,}")
    return table


def _confusion(confusion: dict[str, Any]) -> "Table":
    """Truth in rows, prediction in columns; the diagonal is bold, a zero is a dot."""
    labels = [printable(label) for label in confusion["labels"]]
    table = _table("truth \\ predicted", *labels)
    for row, (label, counts) in enumerate(zip(labels, confusion["matrix"], strict=True)):
        cells = [f"{count:,}" if count else "·" for count in counts]
        cells[row] = f"[bold]{cells[row]}[/bold]"
        table.add_row(label, *cells)
    return table


def print_info(bundle: "Bundle") -> None:
    """A model's own description as a table of two columns."""
    meta = bundle.meta
    architecture, made = meta.get("architecture", {}), meta.get("provenance", {})
    table = _table()
    table.add_column("model")
    table.add_column(printable(str(bundle.model)), overflow="fold")
    classes = ", ".join(printable(label) for label in meta["labels"])
    shape = " x ".join(str(size) for size in meta.get("input", {}).get("shape", []))
    settings = {key: value for key, value in meta["reader"].items() if not isinstance(value, list | dict)}
    counted = ", ".join(f"{part} {count:,}" for part, count in made.get("examples", {}).items() if count)
    versions = [f"{name} {version}" for name, version in made.get("versions", {}).items()]
    rows = {
        "reads": {"image": "pictures", "audio": "sounds", "text": "texts", "tokens": "words"}[meta["pipeline"]],
        f"{len(meta['labels'])} {'tags' if meta['pipeline'] == 'tokens' else 'classes'}": classes,
        "architecture": architecture.get("name"),
        "parameters": f"{architecture['parameters']:,}" if "parameters" in architecture else None,
        "input": f"{meta.get('input', {}).get('dtype', '')} {shape}",
        "preparation": ", ".join(f"{key} {value}" for key, value in settings.items()),
        "vocabulary": f"{len(meta['reader']['vocabulary']):,} words" if "vocabulary" in meta["reader"] else None,
        "alphabet": f"{len(meta['reader']['alphabet']):,} characters" if "alphabet" in meta["reader"] else None,
        "data": made.get("data"),
        "examples": counted,
        "weights from": made.get("weights"),
        "made": made.get("created"),
        "by": ", ".join([f"multicnn {made['multicnn']}", *versions]) if made else None,
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, printable(str(value)))
    for part, figures in (meta.get("figures") or {}).items():
        if figures:
            table.add_row(f"{part} part", _short_figures(figures))
    _console().print(table)


def print_drift(figures: dict[str, Any]) -> None:
    """A line for each layer: correlation, relative change, and a bar as long as the change."""
    layers = figures["layers"]
    largest = max([layer["relative_change"] or 0.0 for layer in layers], default=0.0) or 1.0
    table = _table(f"layer (weights: {printable(figures['weights'])})", "shape", "correlation", "change")
    table.add_column("", justify="left")
    for layer in layers:
        change = layer["relative_change"]
        numbers = ["-" if value is None else f"{value:.4f}" for value in (layer["correlation"], change)]
        bar = "█" * round(BAR * (change or 0.0) / largest)
        table.add_row(printable(layer["name"]), " x ".join(map(str, layer["shape"])), *numbers, bar)
    _console().print(table)


def _short_figures(figures: dict[str, Any]) -> str:
    rates = [f"{name} {_percent(figures[key])}" for key, name in (RATES | OF_SPANS).items() if key in figures]
    small = [f"{name} {figures[key]:.4f}" for key, name in SMALL_IS_GOOD.items() if key in figures]
    return ", ".join([*rates, *small, f"{figures['count']:,} {'words' if 'spans' in figures else 'examples'}"])


def printable(text: str) -> str:
    """A text as a table may show it: no control characters (a file name could move the cursor), no rich markup."""
    from rich.markup import escape

    return escape("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text))


def _console(file: Any = None, terminal: bool | None = None) -> "Console":
    """A rich console; wide where nobody's terminal limits it."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty() if terminal is None else terminal
    return Console(file=file, force_terminal=is_terminal, width=None if is_terminal else WIDE, highlight=False)


def _table(*columns: str) -> "Table":
    """An empty table in the house style: the first column to the left, the others to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f} %" if rate < 1 else "100 %"
