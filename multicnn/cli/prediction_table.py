"""Predictions as people see them on a terminal."""

import io
from collections.abc import Sequence
from typing import BinaryIO

from rich import box
from rich.table import Table

from multicnn.cli.render import _console, _percent, printable
from multicnn.inference.output import Prediction, Writer

RUNNERS_UP = 2


class PredictionTable(Writer):
    """Predictions as a table that grows batch by batch; the columns' widths are known from the start.

    Args:
        stream: a terminal, or where the table is wanted.
        labels: the classes.
        top_k: how many classes are shown; None for the best and two runners-up.
    """

    def __init__(self, stream: BinaryIO, labels: list[str], top_k: int | None) -> None:
        super().__init__(stream)
        self._others = RUNNERS_UP if top_k is None else top_k - 1
        self._label_width = min(30, max(5, *(len(label) for label in labels)))
        self._is_first = True

    def encoded(self, told: Sequence[Prediction]) -> bytes:
        """The rows of one batch, after the heading the first time."""
        table = Table(box=box.SIMPLE_HEAD, show_header=self._is_first, show_edge=False, pad_edge=False, expand=True)
        table.add_column("input", ratio=3, no_wrap=True, overflow="ellipsis")
        table.add_column("label", width=self._label_width, no_wrap=True, overflow="ellipsis")
        table.add_column("score", width=7, justify="right")
        table.add_column("then" if self._others else "", ratio=2, overflow="fold")
        for one in told:
            table.add_row(*self._cells(one))
        self._is_first = False
        text = io.StringIO()
        _console(text, self._stream.isatty()).print(table)
        return text.getvalue().encode("utf-8", "backslashreplace")

    def _cells(self, one: Prediction) -> list[str]:
        shown = printable(one["input"])
        if "start" in one:
            shown = f"{one['start']:.2f} to {one['end']:.2f} s, {shown}"
        if "error" in one:
            return [shown, "", "", f"[red]{printable(one['error'])}[/red]"]
        others = list(one["scores"].items())[1 : 1 + self._others]
        label = "[dim]-[/dim]" if one["label"] is None else f"[bold]{printable(one['label'])}[/bold]"
        then = ", ".join(f"{printable(name)} {_percent(score)}" for name, score in others)
        return [shown, label, _percent(one["score"]), f"[dim]{then}[/dim]"]
