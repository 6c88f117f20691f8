"""Image training side by side: multicnn's command line, a plain PyTorch loop and fastai, with the same network.

    python benchmarks/image_training.py CIFAR10.tar.xz --work FOLDER --option width=32 [--runs 3] [--fastai PYTHON]
    python benchmarks/image_training.py CIFAR10.tar.xz --work FOLDER --arch densenet121 --pictures 5000 --epochs 1

The archive (train/CLASS/*, test/CLASS/*) is unpacked once into FOLDER; a tenth of its training part becomes val/, on
which all are measured; the test part isn't touched. Each contestant trains in a process of its own, in turns, with the
same network, batch, epochs, highest rate and label smoothing. The peers have two rows: as their documentation advises,
and with our precision, memory format and number of workers. Seconds to the accuracy count from the start of the process
to the end of the first epoch that reaches it. Prints hardware and versions, then a table: median (minimum to maximum).

Seen (two cores of an AMD EPYC, ResNet-9 of width 16, 5 epochs, 2 runs): 1,760 pictures/s, the plain loop 538, fastai
503; see docs/results.md.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from machine import header

HERE = Path(__file__).parent
# What each contestant says after an epoch.
EPOCH = re.compile(r"epoch \d+/\d+ .*accuracy ([\d.]+)% +([\d,]+) examples/s")
VERSIONS = ("torch", "torchvision", "pillow")
HELD_OUT = 10  # one training picture in so many is for validation


@dataclass(slots=True)
class Contestant:
    """A command, and what came of its runs.

    Attributes:
        name: its row.
        command: what is run.
        speeds: pictures a second, the median of the epochs of each run.
        times: seconds to the accuracy that was asked for, of the runs that reached it.
        accuracies: after the last epoch of each run.
    """

    name: str
    command: list[str]
    speeds: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def run(self, target: float) -> None:
        """Trains once; a command that fails ends the benchmark with what it said."""
        with tempfile.TemporaryDirectory() as folder:
            began, reached, speeds, accuracy, said = time.monotonic(), None, [], 0.0, []
            command = [part.replace("{run}", f"{folder}/run") for part in self.command]
            with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    said.append(line)
                    if found := EPOCH.search(line):
                        accuracy = float(found[1]) / 100
                        speeds.append(float(found[2].replace(",", "")))
                        if reached is None and accuracy >= target:
                            reached = time.monotonic() - began
        if process.returncode or not speeds:
            raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}: {''.join(said[-20:])}")
        self.speeds.append(statistics.median(speeds))
        self.accuracies.append(accuracy)
        self.times += [] if reached is None else [reached]

    def row(self) -> str:
        """A row of the table."""
        cells = (spread(self.speeds, "{:,.0f}"), spread(self.times, "{:.1f}"), spread(self.accuracies, "{:.1%}"))
        return f"| {self.name} | {' | '.join(cells)} |"


def spread(values: list[float], form: str) -> str:
    """Median (minimum to maximum); a dash where there is nothing."""
    if not values:
        return "-"
    median, least, most = (form.format(f(values)) for f in (statistics.median, min, max))
    return f"{median} ({least} to {most})"


def unpack(archive: Path, work: Path, pictures: int | None) -> Path:
    """Lays the training part out as train/CLASS/* and val/CLASS/*; the same pictures each time.

    Args:
        archive: any tar, with train/CLASS/* somewhere inside.
        work: where to.
        pictures: so many at most; None for all.
    """
    folder = work / f"pictures-{pictures or 'all'}"
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    with tarfile.open(archive) as tar:
        for number, (member, parts) in enumerate(chosen(tar, pictures)):
            target = partial / ("train" if number % HELD_OUT else "val") / parts[-2] / parts[-1]
            target.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None
            target.write_bytes(content.read())
    return partial.rename(folder)


def chosen(tar: tarfile.TarFile, pictures: int | None) -> Iterator[tuple[tarfile.TarInfo, tuple[str, ...]]]:
    """The members that are training pictures, evenly thinned out, each with the parts of its path; in their order."""
    named = ((member, Path(member.name).parts) for member in tar.getmembers() if member.isfile())
    training = [(member, parts) for member, parts in named if "train" in parts[:-2]]
    step = max(1, len(training) // pictures) if pictures else 1
    yield from training[::step]


def contestants(asked: argparse.Namespace, data: Path) -> list[Contestant]:
    """All of them, with their commands."""
    options = [f"--option={option}" for option in asked.option]
    settings = {"arch": asked.arch, "epochs": asked.epochs, "batch-size": asked.batch_size, "lr": asked.lr}
    shared = [f"--{key}={value}" for key, value in settings.items()]
    ours = [sys.executable, "-m", "multicnn", "train", "image", str(data), *shared, "--weights=none", "-o", "{run}"]
    ours += [f"--set=model.options.{option}" for option in asked.option] + ["--set=augment.crop=4"]
    found = [Contestant("multicnn train image", ours)]
    peers = {"plain PyTorch loop": ("plain_loop.py", sys.executable), "fastai": ("fastai_loop.py", asked.fastai)}
    for name, (script, python) in peers.items():
        if python:
            command = [python, str(HERE / script), str(data), *shared, *options]
            found.append(Contestant(f"{name}, as advised", command))
            found.append(Contestant(f"{name}, given ours", [*command, "--given-ours"]))
    return found


def main() -> None:
    """Parses the command line, runs all in turns, prints."""
    parser = argparse.ArgumentParser(description="Image training, side by side.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the unpacked pictures; it is kept")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--target", type=float, default=0.8, help="the accuracy that is timed (default: 0.8)")
    parser.add_argument("--pictures", type=int, help="training pictures at most (default: all)")
    parser.add_argument("--arch", default="resnet9")
    parser.add_argument("--option", action="append", default=[], help="of the network, such as width=32")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--fastai", help="a Python that has fastai and multicnn; without it fastai is left out")
    asked = parser.parse_args()
    found = contestants(asked, unpack(asked.archive, asked.work, asked.pictures))
    for _ in range(asked.runs):
        for one in found:
            one.run(asked.target)
    more = f"{asked.arch} {' '.join(asked.option)}, {asked.epochs} epochs, {asked.runs} runs each"
    print(header(VERSIONS, more), end="\n\n")
    print(f"| | pictures/s | seconds to {asked.target:.0%} | validation accuracy at the end |\n|---|---:|---:|---:|")
    print("\n".join(one.row() for one in found))


if __name__ == "__main__":
    main()
