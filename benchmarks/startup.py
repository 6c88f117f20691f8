"""How long a user waits for a command: seconds of whole processes, from a warm disk.

    python benchmarks/startup.py --runs 15 --model runs/image/digits picture.png --model runs/text/docstrings text.txt

Prints the machine and the versions, then the median, minimum and maximum of each command.
"""

import argparse
import statistics
import subprocess
import sys
import time

from machine import header

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
    print(header(VERSIONS, f"{arguments.runs} runs each, seconds of wall clock"), end="\n\n")
    width = max(map(len, commands))
    print(f"{'command':{width}}  median     min     max")
    for name, command in commands.items():
        taken = measure(command, arguments.runs)
        print(f"{name:{width}}  {statistics.median(taken):6.3f}  {taken[0]:6.3f}  {taken[-1]:6.3f}", flush=True)


if __name__ == "__main__":
    main()
