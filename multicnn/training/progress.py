"""What a person sees while it trains: bars on a terminal, one line an epoch otherwise. Always on stderr."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")


class Reporter:
    """Says what is going on.

    Args:
        quiet: say nothing but warnings.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)

    def note(self, line: str) -> None:
        """One line of progress."""
        if not self.quiet:
            self.console.print(line, markup=False)

    def warn(self, line: str) -> None:
        """One line that is said even when quiet."""
        self.console.print(f"multicnn: {line}", markup=False)

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Passes items on, with a bar that counts them, where there is a terminal to draw it on.

        Args:
            items: what is worked through.
            total: how many there are.
            what: the word before the bar.
        """
        if self.quiet or not self.console.is_terminal:
            yield from items
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            yield from bar.track(items, total=total, description=what)

    def epoch(self, number: int, epochs: int, row: dict[str, float]) -> None:
        """One epoch's line: losses, accuracies, speed."""
        spans = f"span F1 {row['validation_span_f1']:.2%}  " if "validation_span_f1" in row else ""
        self.note(
            f"epoch {number}/{epochs}  loss {row['train_loss']:.4f}  "
            f"validation loss {row['validation_loss']:.4f}  accuracy {row['validation_accuracy']:.2%}  {spans}"
            f"{row['examples_per_second']:,.0f} examples/s  {row['seconds']:.1f} s"
        )
