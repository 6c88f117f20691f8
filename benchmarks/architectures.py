"""CIFAR-10 by architecture and by pooling, each trained by the command line with the same budget.

    python benchmarks/architectures.py CIFAR10.tar.xz [--networks|--pools] [--budget 75s] [--epochs 2]

Networks get the same time from the start of their command to its end (`--time-budget`), so that a slow network sees
fewer pictures; poolings inside one network get the same number of epochs. Everything else is at its default. One run
each, seed 0: on 10,000 test pictures two standard errors are 0.6 to 1 points. Prints a Markdown table.

Seen on: two cores of an AMD EPYC (AVX512-BF16), 24 GB, no GPU; Python 3.11, torch 2.14.1; the figures are in
docs/results.md.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORKS = (
    *("linear", "lenet", "nin", "allconv", "googlenet", "resnet9", "resnet18", "resnet20"),
    *("densenet_bc_100_12", "squeezenet1_1", "mobilenet_v2", "convnext_tiny"),
    "[[conv3-64 bn relu]*2 pool2]*3 [fc512 relu drop0.5]*1 fc",
)
NETWORK = "[conv3-16 bn relu]*2 {pool} [conv3-32 bn relu]*2 {pool} [conv3-64 bn relu]*2 {last} fc"
POOLS = {
    "maximum": ("pool2", "gap"),
    "mean": ("avg2", "gap"),
    "sum": ("sum2", "gap"),
    "L2": ("lp2-2", "gap"),
    "overlapping maximum": ("pool3/2:same", "gap"),
    "stochastic": ("stoch2", "gap"),
    "max-pooling dropout, 0.2": ("maxdrop2-0.2", "gap"),
    "strided convolution": ("convpool2", "gap"),
    "maximum; global maximum": ("pool2", "gmp"),
    "maximum; generalised mean": ("pool2", "gem"),
    "maximum; attention": ("pool2", "att128"),
    "maximum; spatial pyramid 4-2-1": ("pool2", "spp4-2-1"),
    "maximum; none": ("pool2", "flatten"),
}


def train(data: str, arch: str, budget: list[str]) -> dict[str, float]:
    """One training as a user starts it; seconds of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        began = time.monotonic()
        command = [sys.executable, "-m", "multicnn", "train", "image", data, "--arch", arch, "--output", str(run)]
        subprocess.run([*command, *budget, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        metrics = json.loads((run / "metrics.json").read_text())
        bundle = json.loads((run / "model" / "bundle.json").read_text())
        with (run / "history.csv").open(newline="") as file:
            epochs = len(list(csv.DictReader(file)))
    return {
        "parameters": bundle["architecture"]["parameters"],
        "epochs": epochs,
        "speed": metrics["examples_per_second"],
        "seconds": seconds,
        "validation": metrics["validation"]["accuracy"],
        "test": metrics["test"]["accuracy"],
    }


def row(name: str, found: dict[str, float]) -> str:
    return (
        f"| {name} | {found['parameters']:,} | {found['epochs']} | {found['speed']:,.0f} | {found['seconds']:.0f} | "
        f"{100 * found['validation']:.2f} % | {100 * found['test']:.2f} % |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--pools", action="store_true")
    parser.add_argument("--budget", default="75s")
    parser.add_argument("--epochs", default="2")
    asked = parser.parse_args()
    print("| network | parameters | epochs | pictures/s | seconds | validation | test |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    if asked.networks or not asked.pools:
        for name in NETWORKS:
            print(row(f"`{name}`", train(asked.data, name, ["--time-budget", asked.budget])), flush=True)
    if asked.pools or not asked.networks:
        for name, (pool, last) in POOLS.items():
            arch = NETWORK.format(pool=pool, last=last)
            print(row(f"{name}", train(asked.data, arch, ["--epochs", asked.epochs])), flush=True)


if __name__ == "__main__":
    main()
