"""image/cifar10_fast as a user runs it, again and again: seconds and accuracy with their spread.

    python benchmarks/gpu_cifar10.py CIFAR10.tar.xz [--runs 10]
    python benchmarks/gpu_cifar10.py CIFAR10.tar.xz --runs 1 --set training.epochs=1 --set training.device=cpu

Each run is a process of its own with a seed of its own. Whole: from the start of the command to its end, reading and
export included. Training: the epochs alone. For comparison: airbench94_muon, 94.01 % in 2.59 s of training on an A100
(KellerJordan/cifar10-airbench), on the lossless pictures and with 50,000 of them to train on.

Seen: nothing yet on a graphics card.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def train(data: str, seed: int, settings: list[str]) -> dict[str, float]:
    """One training; `settings` are further options of the command."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "multicnn", "train", "image", data, "--recipe", "image/cifar10_fast"]
        began = time.monotonic()
        subprocess.run(
            [*command, "--seed", str(seed), "-o", str(run), "--quiet", *settings], check=True, stdout=subprocess.DEVNULL
        )
        whole = time.monotonic() - began
        metrics = json.loads((run / "metrics.json").read_text())
        with (run / "history.csv").open(newline="") as file:
            epochs = sum(float(row["seconds"]) for row in csv.DictReader(file))
    print(f"seed {seed}: {metrics['test']['accuracy']:.2%}, {whole:.1f} s, {epochs:.2f} s of training", flush=True)
    return {
        "test": 100 * metrics["test"]["accuracy"],
        "whole": whole,
        "epochs": epochs,
        "speed": metrics["examples_per_second"],
    }


def main() -> None:
    """Parses the command line, trains, prints means and spread."""
    parser = argparse.ArgumentParser(description="image/cifar10_fast, several times.")
    parser.add_argument("data")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], help="a recipe's key=value, put on top")
    asked = parser.parse_args()
    found = [train(asked.data, seed, [f"--set={one}" for one in asked.set]) for seed in range(asked.runs)]
    words = {"test": "test accuracy, %", "whole": "whole, s", "epochs": "training, s", "speed": "pictures/s"}
    print(f"\n| {asked.runs} runs | mean | standard deviation | minimum | maximum |\n|---|---:|---:|---:|---:|")
    for key, name in words.items():
        values = [one[key] for one in found]
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        cells = (statistics.mean(values), deviation, min(values), max(values))
        print(f"| {name} | {' | '.join(f'{cell:,.2f}' for cell in cells)} |")


if __name__ == "__main__":
    main()
