"""What each epoch gave: history.csv, and TensorBoard for those who ask for it; what a test of learning rates saw."""

from importlib.util import find_spec
from pathlib import Path

from multicnn.data.files import csv_pieces, write_atomically, write_pieces
from multicnn.drawing.curve import loss_over_rate
from multicnn.errors import UsageError
from multicnn.training.rate_test import Curve
from multicnn.training.run_folder import RunFolder

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
    columns = [*COLUMNS, *(name for name in rows[0] if name not in COLUMNS)]
    write_pieces(path, csv_pieces([columns, *([_short(row[key]) for key in columns] for row in rows)]))


def _short(value: float) -> str:
    return f"{value:.6g}"


def write_curve(run: RunFolder, curve: Curve, chosen: float) -> None:
    """Writes what the range test saw as lr_find.csv and draws it as lr_find.svg.

    Args:
        run: the folder.
        curve: of at least two steps.
        chosen: the rate that was taken.
    """
    rows = zip(curve.rates, curve.losses, curve.smoothed, strict=True)
    lines = ["lr,loss,smoothed_loss", *(",".join(map(_short, row)) for row in rows)]
    write_atomically(run.rates, "\n".join(lines) + "\n")
    write_atomically(run.rates_drawn, loss_over_rate(curve.rates, curve.losses, curve.smoothed, chosen))


def write_scalars(folder: Path, row: Row) -> None:
    """Adds an epoch to a TensorBoard log; TensorBoard is an extra: pip install 'multicnn[tensorboard]'.

    Args:
        folder: of the log.
        row: the epoch.
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as log:
        for name, value in list(row.items())[1:]:
            log.add_scalar(name, value, global_step=int(row["epoch"]))


def require_tensorboard() -> None:
    """Makes sure that TensorBoard is there before a training that is to write to it.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec("tensorboard") is None:
        raise UsageError("training.tensorboard needs it; install it with: pip install 'multicnn[tensorboard]'")
