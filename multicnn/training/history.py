"""history.csv: a row per epoch."""

import csv
import io
from pathlib import Path

from multicnn.data.files import write_atomically

Row = dict[str, float]
COLUMNS = (
    "epoch",
    "seconds",
    "lr",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "examples_per_second",
)


def write_history(path: Path, rows: list[Row]) -> None:
    """Writes all rows anew, so that the file is always whole.

    Args:
        path: the file.
        rows: one for each epoch.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _short(row[key]) for key in COLUMNS} for row in rows)
    write_atomically(path, text.getvalue())


def _short(value: float) -> str:
    return f"{value:.6g}"
