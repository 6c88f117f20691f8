"""Sentences per second from a file of lines to a file of labels: multicnn, fastText, TF-IDF with logistic regression.

    python -m venv fasttext && fasttext/bin/pip install fasttext-community
    python benchmarks/text_prediction.py mr.csv --fasttext fasttext/bin/python --lines 200000 --runs 5

Each learns from nine tenths of the data and is measured on the last tenth: multicnn by the defaults of `train text`,
fastText with word pairs, 25 epochs and a learning rate of 0.5, as its tutorial advises, scikit-learn with words and
word pairs. Then whole processes are timed, in turns, so that a busy machine hurts all alike: start, loading, reading
the lines, classifying, writing a line for each. multicnn writes its JSON with the text and all scores, the others write
label and score. fastText runs in an environment of its own.

Prints the machine and the versions, then for each the accuracy, the model's size, the seconds that one line takes, and
for all lines the median, minimum and maximum of the seconds, lines/s at the median, processor seconds (user and system)
for 100,000 lines, and the peak of the memory of its largest process.

Seen (two cores of an AMD EPYC, MR, a million lines, 3 runs): multicnn 161,400 lines/s, fastText 100,700, TF-IDF 52,800;
see docs/results.md.
"""

import argparse
import csv
import json
import os
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from machine import header

BLOCK = 10_000  # lines that the others classify at a time
Row = tuple[str, str]  # a text and its label


@dataclass
class Contestant:
    """One of the three: how it is called, and what it took.

    Attributes:
        name: for the table.
        command: the process, without its input and its output file.
        size: of the model in bytes.
        label: the label in a line of its output.
    """

    name: str
    command: list[str]
    size: int
    label: Callable[[str], str]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: int = 0
    cold: list[float] = field(default_factory=list)

    def run(self, source: Path, target: Path) -> tuple[float, float, int]:
        """Wall seconds, processor seconds and peak memory in bytes of one process."""
        took = time.perf_counter()
        process = subprocess.Popen([*self.command, str(source), str(target)], stderr=subprocess.PIPE)
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{self.name} ended with status {process.returncode}: {said.decode()}")
        unit = 1 if sys.platform == "darwin" else 1024
        return time.perf_counter() - took, used.ru_utime + used.ru_stime, used.ru_maxrss * unit

    def accuracy(self, rows: list[Row], folder: Path) -> float:
        """The share of right labels."""
        source, target = folder / "held_out.txt", folder / "held_out.out"
        source.write_text("".join(f"{text}\n" for text, _ in rows), encoding="utf-8")
        self.run(source, target)
        told = target.read_text(encoding="utf-8").split("\n")[: len(rows)]
        return sum(self.label(line) == label for line, (_, label) in zip(told, rows, strict=True)) / len(rows)


def main() -> None:
    """Trains, measures, prints."""
    if sys.argv[1:2] == ["--child"]:
        CHILDREN[sys.argv[2]](*sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description="Sentences per second from a file to a file.")
    parser.add_argument("data", help="a manifest, .csv with the columns text and label")
    parser.add_argument("--fasttext", required=True, help="a Python that has fasttext-community")
    parser.add_argument("--lines", type=int, default=200_000, help="lines to classify (default: 200,000)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    arguments = parser.parse_args()
    rows = read(Path(arguments.data))
    train, held_out = rows[len(rows) // 10 :], rows[: len(rows) // 10]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines, one = folder / "lines.txt", folder / "one.txt"
        with lines.open("w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text, _ in islice(cycle(rows), arguments.lines))
        one.write_text(f"{rows[0][0]}\n", encoding="utf-8")
        print(described(arguments), end="\n\n", flush=True)
        contestants = [make(train, folder) for make in (multicnn, with_fasttext(arguments.fasttext), tfidf)]
        accuracies = [contestant.accuracy(held_out, folder) for contestant in contestants]
        for _ in range(arguments.runs):
            for contestant in contestants:
                contestant.cold.append(contestant.run(one, folder / "one.out")[0])
                seconds, cpu, memory = contestant.run(lines, folder / "lines.out")
                contestant.seconds.append(seconds)
                contestant.cpu.append(cpu)
                contestant.memory = max(contestant.memory, memory)
        table(contestants, accuracies, arguments.lines)


def read(path: Path) -> list[Row]:
    """Texts and labels in a random order that is always the same; line ends within a text become spaces."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(" ".join(row["text"].split()), row["label"]) for row in csv.DictReader(file)]
    rows = [row for row in rows if row[0]]
    random.Random(0).shuffle(rows)
    return rows


def described(arguments: argparse.Namespace) -> str:
    """Hardware, versions, the number of runs."""
    theirs = "import importlib.metadata as m; print(m.version('fasttext-community'))"
    fasttext = subprocess.run([arguments.fasttext, "-c", theirs], capture_output=True, text=True, check=True).stdout
    return header(
        ("multicnn", "onnxruntime", "scikit-learn"),
        f"fasttext-community {fasttext.strip()}; {arguments.lines:,} lines, {arguments.runs} runs each, in turns",
    )


def table(contestants: list[Contestant], accuracies: list[float], lines: int) -> None:
    """One row each."""
    print("| | accuracy | model, MB | one line, s | all, s (min, max) | lines/s | cpu s / 100,000 | peak memory, MB |")
    print("|---|---|---|---|---|---|---|---|")
    for one, accuracy in zip(contestants, accuracies, strict=True):
        median = statistics.median(one.seconds)
        cpu = statistics.median(one.cpu) / lines * 100_000
        print(
            f"| {one.name} | {accuracy:.1%} | {one.size / 1e6:.0f} | {statistics.median(one.cold):.2f} "
            f"| {median:.2f} ({min(one.seconds):.2f}, {max(one.seconds):.2f}) | {lines / median:,.0f} "
            f"| {cpu:.2f} | {one.memory / 1e6:.0f} |"
        )


def multicnn(train: list[Row], folder: Path) -> Contestant:
    """`multicnn train text` by its defaults."""
    manifest, run = folder / "train.csv", folder / "run"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *train])
    command = [sys.executable, "-m", "multicnn"]
    subprocess.run([*command, "train", "text", str(manifest), "-o", str(run), "-q"], check=True, stdout=sys.stderr)
    predict = [sys.executable, __file__, "--child", "multicnn", str(run)]
    return Contestant(
        "multicnn", predict, (run / "model" / "model.onnx").stat().st_size, lambda line: json.loads(line)["label"]
    )


def predict_multicnn(run: str, source: str, target: str) -> None:
    """Becomes `multicnn predict`."""
    command = [sys.executable, "-m", "multicnn", "predict", run, source, "--lines", "--format", "jsonl", "-o", target]
    os.execv(sys.executable, command)


def with_fasttext(python: str) -> Callable[[list[Row], Path], Contestant]:
    """fastText, in the environment of that Python."""

    def make(train: list[Row], folder: Path) -> Contestant:
        labelled, model = folder / "train.fasttext", folder / "model.bin"
        names = {label: f"__label__{number}" for number, label in enumerate(sorted({label for _, label in train}))}
        back = {name: label for label, name in names.items()}
        labelled.write_text("".join(f"{names[label]} {text}\n" for text, label in train), encoding="utf-8")
        command = [python, __file__, "--child"]
        subprocess.run([*command, "train_fasttext", str(labelled), str(model)], check=True, stdout=sys.stderr)
        predict = [*command, "fasttext", str(model)]
        return Contestant("fastText", predict, model.stat().st_size, lambda line: back[line.partition("\t")[0]])

    return make


def train_fasttext(source: str, target: str) -> None:
    """In fastText's own environment."""
    import fasttext

    fasttext.train_supervised(source, epoch=25, lr=0.5, wordNgrams=2, thread=2, verbose=0).save_model(target)


def predict_fasttext(model: str, source: str, target: str) -> None:
    """In fastText's own environment."""
    import fasttext

    loaded = fasttext.load_model(model)
    with Path(target).open("w", encoding="utf-8") as out:
        for block in blocks(source):
            labels, scores = loaded.predict(block)
            out.writelines(f"{a[0]}\t{b[0]:.6f}\n" for a, b in zip(labels, scores, strict=True))


def tfidf(train: list[Row], folder: Path) -> Contestant:
    """scikit-learn's TF-IDF of words and word pairs with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = zip(*train, strict=True)
    fitted = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    )
    path = folder / "tfidf.pickle"
    path.write_bytes(pickle.dumps(fitted.fit(texts, labels)))
    predict = [sys.executable, __file__, "--child", "tfidf", str(path)]
    return Contestant("TF-IDF", predict, path.stat().st_size, lambda line: line.partition("\t")[0])


def predict_tfidf(model: str, source: str, target: str) -> None:
    """In this environment."""
    loaded = pickle.loads(Path(model).read_bytes())
    with Path(target).open("w", encoding="utf-8") as out:
        for block in blocks(source):
            probabilities = loaded.predict_proba(block)
            best = probabilities.argmax(axis=1)
            scores = probabilities.max(axis=1)
            out.writelines(f"{loaded.classes_[a]}\t{b:.6f}\n" for a, b in zip(best, scores, strict=True))


def blocks(path: str) -> Iterator[list[str]]:
    """The lines of a file without their ends, `BLOCK` at a time."""
    with Path(path).open(encoding="utf-8", newline="\n") as file:
        while block := [line[:-1] for line in islice(file, BLOCK)]:
            yield block


CHILDREN: dict[str, Callable[..., None]] = {
    "multicnn": predict_multicnn,
    "train_fasttext": train_fasttext,
    "fasttext": predict_fasttext,
    "tfidf": predict_tfidf,
}

if __name__ == "__main__":
    main()
