"""Classifiers for texts side by side: multicnn, fastText, TF-IDF with logistic regression, a plain Kim CNN, spaCy.

    python -m venv fasttext && fasttext/bin/pip install fasttext-community
    python -m venv spacy && spacy/bin/pip install spacy
    python benchmarks/text.py trec/ --fasttext fasttext/bin/python --spacy spacy/bin/python --lines 200000 --runs 5

Each learns from the same texts, the last four by the settings that their makers or papers advise, multicnn by the
defaults of `train text`; nobody sees the test part before the end. A folder has train.csv and test.csv; of a single
manifest the last tenth, in a random order that is always the same, is the test part. Training is timed once, from the
start of its process to its end (TF-IDF: in this process, without its start). Prediction is timed as whole processes, in
turns, so that a busy machine hurts all alike: start, loading, reading lines, classifying, writing a line for each.
fastText and spaCy run in environments of their own; spaCy is left out where none is named.

Prints the machine and the versions, then for each the accuracy, the seconds of training, the model's size, the seconds
that one line takes, and for all lines the median, minimum and maximum of the seconds and lines/s at the median.
"""

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from text_prediction import Contestant, Row, described, multicnn, read, tfidf, with_fasttext

HERE = Path(__file__).parent


def main() -> None:
    """Trains, measures, prints."""
    parser = argparse.ArgumentParser(description="Classifiers for texts side by side.")
    parser.add_argument("data", help="a folder with train.csv and test.csv, or a manifest; columns text and label")
    parser.add_argument("--fasttext", required=True, help="a Python that has fasttext-community")
    parser.add_argument("--spacy", help="a Python that has spaCy (default: it is left out)")
    parser.add_argument("--lines", type=int, default=200_000, help="lines to classify (default: 200,000)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    arguments = parser.parse_args()
    train, test = divide(Path(arguments.data))
    makers = [multicnn, with_fasttext(arguments.fasttext), tfidf, with_script("Kim CNN", sys.executable, "kim_cnn.py")]
    makers += [with_script("spaCy", arguments.spacy, "spacy_textcat.py")] if arguments.spacy else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(described(arguments), end="\n\n", flush=True)
        trained = [timed(make, train, folder) for make in makers]
        accuracies = [contestant.accuracy(test, folder) for contestant, _ in trained]
        lines, one = write_lines(train + test, folder, arguments.lines)
        for _ in range(arguments.runs):
            for contestant, _seconds in trained:
                contestant.cold.append(contestant.run(one, folder / "one.out")[0])
                contestant.seconds.append(contestant.run(lines, folder / "lines.out")[0])
    table(trained, accuracies, arguments.lines)


def divide(path: Path) -> tuple[list[Row], list[Row]]:
    """The training and the test part."""
    if path.is_dir():
        return read(path / "train.csv"), read(path / "test.csv")
    rows = read(path)
    return rows[len(rows) // 10 :], rows[: len(rows) // 10]


def timed(make: Callable[[list[Row], Path], Contestant], train: list[Row], folder: Path) -> tuple[Contestant, float]:
    """A trained contestant, and the seconds that it took."""
    began = time.perf_counter()
    return make(train, folder), time.perf_counter() - began


def write_lines(rows: list[Row], folder: Path, count: int) -> tuple[Path, Path]:
    """A file of so many lines, and one of a single line."""
    lines, one = folder / "lines.txt", folder / "one.txt"
    with lines.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text, _ in islice(cycle(rows), count))
    one.write_text(f"{rows[0][0]}\n", encoding="utf-8")
    return lines, one


def with_script(name: str, python: str, script: str) -> Callable[[list[Row], Path], Contestant]:
    """A contestant that is a script beside this one: `train MANIFEST MODEL`, and `predict MODEL LINES OUTPUT`."""

    def make(train: list[Row], folder: Path) -> Contestant:
        manifest, model = folder / "train.csv", folder / f"{script}.model"
        with manifest.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *train])
        command = [python, str(HERE / script)]
        subprocess.run([*command, "train", str(manifest), str(model)], check=True, stdout=sys.stderr)
        files = [model] if model.is_file() else [path for path in model.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        return Contestant(name, [*command, "predict", str(model)], size, lambda line: line.partition("\t")[0])

    return make


def table(trained: list[tuple[Contestant, float]], accuracies: list[float], lines: int) -> None:
    """One row each."""
    print("| | accuracy | training, s | model, MB | one line, s | all, s (min, max) | lines/s |")
    print("|---|---|---|---|---|---|---|")
    for (one, training), accuracy in zip(trained, accuracies, strict=True):
        median, cold = statistics.median(one.seconds), statistics.median(one.cold)
        print(
            f"| {one.name} | {accuracy:.1%} | {training:.1f} | {one.size / 1e6:.0f} | {cold:.2f} "
            f"| {median:.2f} ({min(one.seconds):.2f}, {max(one.seconds):.2f}) | {lines / median:,.0f} |"
        )


if __name__ == "__main__":
    main()
