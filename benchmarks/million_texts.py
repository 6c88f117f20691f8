"""What it takes to open, divide and read a million texts before the first step, by one process and by all cores.

    python benchmarks/million_texts.py mr.csv --texts 1000000 --runs 3

The texts are made on the spot from the words of a manifest, drawn as often as they occur there, 5 to 39 in each, two
classes. A process of its own does what `multicnn train text` does with them before it trains. Its memory is looked at
every twentieth of a second; told is the most, less what it was when everything was imported, in two ways: what the
process has for itself, and that together with the parts of mapped files that lie in memory, which the system takes back
when others need it. Copies of that process that share the work have its memory too; what they touch of it comes on top
and is not counted.

Prints the machine and the versions, then for each number of workers the median, minimum and maximum of the seconds, and
the medians of the processor seconds of all processes and of both kinds of memory in MB. Linux only.
"""

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from machine import header

from multicnn.data.decode import default_workers

VERSIONS = ("multicnn", "torch", "numpy")
AT_ONCE = 10_000
PAUSE = 0.05  # seconds


def make(path: Path, source: Path, count: int) -> None:
    """A manifest of so many texts."""
    rng = np.random.default_rng(0)
    with source.open(encoding="utf-8", newline="") as file:
        words = np.array([word for row in csv.DictReader(file) for word in row["text"].split()], dtype=object)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for start in range(0, count, AT_ONCE):
            lengths = rng.integers(5, 40, min(AT_ONCE, count - start))
            drawn = np.split(words[rng.integers(0, len(words), lengths.sum())], lengths.cumsum()[:-1])
            writer.writerows((" ".join(text), "pro" if rng.random() < 0.5 else "contra") for text in drawn)


def measure(data: str, workers: int) -> dict[str, float]:
    """What reading takes, in this process."""
    from multicnn.recipe import TextRecipe
    from multicnn.training.prepare import outline, read_all
    from multicnn.training.progress import Reporter

    recipe = TextRecipe()
    recipe.data.path, recipe.data.workers = data, workers
    before, most = memory(), memory()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PAUSE):
            most.update({kind: max(most[kind], size) for kind, size in memory().items()})

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, used = time.perf_counter(), time.process_time()
    read_all(outline(recipe, "cpu"), Reporter(quiet=True))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    done.set()
    watcher.join()
    copies = resource.getrusage(resource.RUSAGE_CHILDREN)
    used += copies.ru_utime + copies.ru_stime
    return {"seconds": seconds, "processor": used} | {kind: most[kind] - before[kind] for kind in before}


def memory() -> dict[str, float]:
    """What this process has for itself, and with mapped files, in MB."""
    said = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {kind: int(said[key].split()[0]) * 1024 / 1e6 for kind, key in (("own", "RssAnon"), ("mapped", "VmRSS"))}


def main() -> None:
    """Parses the command line, measures in turns, prints."""
    parser = argparse.ArgumentParser(description="Seconds and memory of reading a million texts.")
    parser.add_argument("source", help="a manifest with the column text, whose words are drawn")
    parser.add_argument("--texts", type=int, default=1_000_000, help="how many (default: 1,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument(
        "--measure", type=int, metavar="WORKERS", help="read SOURCE in this process, and say so as JSON"
    )
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.source, arguments.measure)))
        return
    print(header(VERSIONS, f"{arguments.runs} runs each"), end="\n\n")
    found: dict[int, list[dict[str, float]]] = {1: [], default_workers(): []}
    with tempfile.TemporaryDirectory(prefix="multicnn-") as name:
        data = Path(name) / "texts.csv"
        make(data, Path(arguments.source), arguments.texts)
        print(f"{arguments.texts:,} texts, {data.stat().st_size / 1e6:.1f} MB")
        for _ in range(arguments.runs):
            for workers, runs in found.items():
                command = [sys.executable, __file__, str(data), "--measure", str(workers)]
                runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(f"{'workers':>8} {'seconds':>8} {'min':>6} {'max':>6} {'processor s':>12} {'own MB':>7} {'with mapped':>12}")
    for workers, runs in found.items():
        seconds, *others = ([run[what] for run in runs] for what in ("seconds", "processor", "own", "mapped"))
        processor, own, mapped = map(statistics.median, others)
        spread = f"{statistics.median(seconds):8.2f} {min(seconds):6.2f} {max(seconds):6.2f}"
        print(f"{workers:8} {spread} {processor:12.2f} {own:7.0f} {mapped:12.0f}")


if __name__ == "__main__":
    main()
