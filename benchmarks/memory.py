"""Peak memory of training on a set of pictures and on one ten times as large.

    python benchmarks/memory.py --pictures 1500 --runs 3

Pictures of noise, 96 x 96, as PNG files in a plain tar archive, two classes and a test part of a tenth, made on the
spot. `multicnn train image` learns from them for one epoch with LeNet, as a process of its own; the peak is what the
system says of it at its end (maximum resident set size), decoding, export and measurement included. The first training
of a set builds the cache of decoded pictures, the others find it there.

Prints the machine and the versions, then for each set what its pictures take as arrays, and the median, minimum and
maximum of the peaks in MB; and how much larger the large set's median is.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
from machine import header
from PIL import Image

SIDE = 96
VERSIONS = ("multicnn", "torch", "numpy", "pillow")


def make(path: Path, count: int) -> None:
    """A plain tar archive of `count` pictures of noise in train/ and test/, a class darker than the other."""
    rng = np.random.default_rng(0)
    with tarfile.open(path, "w") as archive:
        for number in range(count):
            pixels = rng.integers(0, 255 - 55 * (number % 2), (SIDE, SIDE, 3), dtype=np.uint8)
            content = BytesIO()
            Image.fromarray(pixels).save(content, "PNG", compress_level=1)
            part = "test" if number % 20 < 2 else "train"
            member = tarfile.TarInfo(f"{part}/{'dark' if number % 2 else 'light'}/{number}.png")
            member.size = content.tell()
            content.seek(0)
            archive.addfile(member, content)


def peak(data: Path, folder: Path, cache: str) -> float:
    """The largest memory of one training, in MB."""
    command = [sys.executable, "-m", "multicnn", "train", "image", str(data), "--output", str(folder / "run")]
    command += ["--overwrite", "--arch", "lenet", "--epochs", "1", "--batch-size", "64", "--cache", cache, "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}: {said.decode()}")
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    """Parses the command line, measures, prints."""
    parser = argparse.ArgumentParser(description="Peak memory of training on a small and a ten times larger set.")
    parser.add_argument("--pictures", type=int, default=1500, help="in the small set (default: 1500)")
    parser.add_argument("--runs", type=int, default=3, help="trainings of each set (default: 3)")
    parser.add_argument("--cache", help="off, to see what it takes without (default: a folder of its own)")
    arguments = parser.parse_args()
    print(header(VERSIONS, f"{arguments.runs} runs each"), end="\n\n")
    print(f"{'pictures':>9} {'as arrays, MB':>14} {'median':>8} {'min':>8} {'max':>8}")
    medians = []
    with tempfile.TemporaryDirectory(prefix="multicnn-") as name:
        folder = Path(name)
        for count in (arguments.pictures, 10 * arguments.pictures):
            make(folder / "data.tar", count)
            cache = arguments.cache or str(folder / "cache")
            peaks = sorted(peak(folder / "data.tar", folder, cache) for _ in range(arguments.runs))
            medians.append(statistics.median(peaks))
            shown = f"{medians[-1]:8.1f} {peaks[0]:8.1f} {peaks[-1]:8.1f}"
            print(f"{count:9,} {count * SIDE * SIDE * 3 / 1e6:14.1f} {shown}", flush=True)
    print(f"\nten times the pictures: {medians[1] / medians[0] - 1:+.1%}")


if __name__ == "__main__":
    main()
