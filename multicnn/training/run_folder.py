"""The folder that a training writes: where it is, and whether it may be written."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from multicnn.errors import UsageError

# What makes a folder a run; nothing else is ever deleted by --overwrite.
OURS = (
    "config.yaml",
    "split.csv",
    "history.csv",
    "lr_find.csv",
    "lr_find.svg",
    "metrics.json",
    "drift.json",
    "predictions.csv",
    "model",
    "checkpoints",
    "tensorboard",
)
INSIDE = ("fold-[0-9]*", "member-[0-9]*")
# What a run is not named after.
ENDINGS = [".csv", ".tsv", ".jsonl", ".parquet", ".txt", ".conll", ".iob", ".tar", ".gz", ".tgz", ".xz"]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths in a run."""

    path: Path

    @property
    def config(self) -> Path:
        """The settled recipe."""
        return self.path / "config.yaml"

    @property
    def split(self) -> Path:
        """Which example was used for what."""
        return self.path / "split.csv"

    @property
    def history(self) -> Path:
        """A row per epoch."""
        return self.path / "history.csv"

    @property
    def rates(self) -> Path:
        """What the range test of the learning rate saw, where there was one."""
        return self.path / "lr_find.csv"

    @property
    def rates_drawn(self) -> Path:
        """The same as a picture."""
        return self.path / "lr_find.svg"

    @property
    def metrics(self) -> Path:
        """The final figures."""
        return self.path / "metrics.json"

    @property
    def drift(self) -> Path:
        """How far each layer's weights have come from those they started with."""
        return self.path / "drift.json"

    @property
    def start(self) -> Path:
        """The weights that the training started from, until it has ended."""
        return self.path / "checkpoints" / "start.safetensors"

    @property
    def predictions(self) -> Path:
        """What was said of each example by the model that had not seen it, where there were folds."""
        return self.path / "predictions.csv"

    def fold(self, number: int) -> "RunFolder":
        """The run of one fold, counted from 1."""
        return RunFolder(self.path / f"fold-{number}")

    def member(self, number: int) -> "RunFolder":
        """The run of one member of an ensemble, counted from 1."""
        return RunFolder(self.path / f"member-{number}")

    @property
    def model(self) -> Path:
        """The bundle."""
        return self.path / "model"

    @property
    def last(self) -> Path:
        """The checkpoint that --resume goes on from."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's log, where it is asked for."""
        return self.path / "tensorboard"

    @property
    def best(self) -> Path:
        """The weights that the validation part liked best."""
        return self.path / "checkpoints" / "best.safetensors"

    def check(self, overwrite: bool) -> None:
        """Makes sure that a new run may be written here; touches nothing.

        Args:
            overwrite: an earlier run may be replaced.

        Raises:
            UsageError: something is here already.
        """
        there = self._earlier()
        if there and not overwrite:
            raise UsageError(
                f"{self.path} holds a run already; choose another --output or --name, or say --overwrite or --resume"
            )
        if not there and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UsageError(f"{self.path} is there and is no run; choose another --output")

    def clear(self) -> None:
        """Makes the folder and removes what an earlier run left in it, and nothing else."""
        self.path.mkdir(parents=True, exist_ok=True)
        for path in self._earlier():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _earlier(self) -> list[Path]:
        inside = [path for pattern in INSIDE for path in self.path.glob(pattern)]
        return [self.path / name for name in OURS if (self.path / name).exists()] + sorted(inside)

    def require(self) -> None:
        """Makes sure that there is a run to resume.

        Raises:
            UsageError: there is none.
        """
        if not self.config.is_file():
            raise UsageError(f"{self.path} holds no run to resume: there is no {self.config.name} in it")


def run_folder(kind: str, output: str | None, name: str | None, data: str) -> RunFolder:
    """Where a run goes: `--output`, or runs/<pipeline>/<name>.

    Args:
        kind: the pipeline.
        output: the folder itself.
        name: under runs/; without it, the data's own name.
        data: the data set, as it was given.
    """
    if output is not None and name is not None:
        raise UsageError("--output names the folder itself; leave --name out")
    if output is not None:
        return RunFolder(Path(output))
    stem = data.removeprefix("sample:").rstrip("/").split(",")[0]
    while Path(stem).suffix.lower() in ENDINGS:
        stem = str(Path(stem).with_suffix(""))
    return RunFolder(Path("runs") / kind / (name or Path(stem).resolve().name))
