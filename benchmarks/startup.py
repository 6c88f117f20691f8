"""How long a user waits for a command: seconds of whole processes, from a warm disk.

    python benchmarks/startup.py --runs 15 --model runs/image/digits picture.png --model runs/text/docstrings text.txt

Prints the machine and the versions, then the median, minimum and maximum of each command.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

VERSIONS = ("multicnn", "typer", "numpy", "onnxruntime", "pillow")


def seconds(command: list[str]) -> float:
    """How long a command runs; one that fails ends the benchmark with what it said."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
    return elapsed


def measure(command: list[str], runs: int) -> list[float]:
    """Seconds of several runs, after one that fills the disk cache and is not counted."""
    seconds(command)
    return sorted(seconds(command) for _ in range(runs))


def processor() -> str:
    """The processor's name, where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def header(runs: int) -> str:
    """Hardware, versions and the number of runs."""
    used = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return (
        f"{time.strftime('%Y-%m-%d')}; {processor()}, {cores} cores, load {os.getloadavg()[0]:.1f}\n"
        f"{platform.system()}, Python {platform.python_version()}, {used}; {runs} runs each, seconds of wall clock"
    )


def main() -> None:
    """Parses the command line, measures, prints."""
    parser = argparse.ArgumentParser(description="Seconds that whole multicnn processes take.")
    parser.add_argument("--runs", type=int, default=11, help="runs of each command (default: 11)")
    parser.add_argument(
        "--model",
        nargs=2,
        action="append",
        default=[],
        metavar=("MODEL", "INPUT"),
        help="measure `multicnn predict MODEL INPUT` too; may be repeated (default: none)",
    )
    arguments = parser.parse_args()
    multicnn = [sys.executable, "-m", "multicnn"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "multicnn --help": [*multicnn, "--help"],
        "multicnn train image --help": [*multicnn, "train", "image", "--help"],
        **{f"multicnn predict {m} {i}": [*multicnn, "predict", m, i] for m, i in arguments.model},
    }
    print(header(arguments.runs), end="\n\n")
    width = max(map(len, commands))
    print(f"{'command':{width}}  median     min     max")
    for name, command in commands.items():
        taken = measure(command, arguments.runs)
        print(f"{name:{width}}  {statistics.median(taken):6.3f}  {taken[0]:6.3f}  {taken[-1]:6.3f}", flush=True)


if __name__ == "__main__":
    main()
