"""spaCy's text categoriser over a blank English pipeline, by its defaults. Used by benchmarks/text.py.

    python benchmarks/spacy_textcat.py train MANIFEST MODEL
    python benchmarks/spacy_textcat.py predict MODEL LINES OUTPUT

Runs in spaCy's own environment. Ten passes with growing batches, dropout 0.2, as spaCy's documentation has it.
"""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import spacy
from contestant import obey
from spacy.training import Example
from spacy.util import compounding, minibatch

EPOCHS, DROPOUT, BLOCK = 10, 0.2, 256


def train(manifest: str, model: str) -> None:
    """Learns from a manifest with the columns text and label."""
    random.seed(0)
    with Path(manifest).open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    labels = sorted({label for _, label in rows})
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {one: float(one == label) for one in labels}})
        for text, label in rows
    ]
    optimiser = nlp.initialize(lambda: examples)
    for _ in range(EPOCHS):
        random.shuffle(examples)
        for some in minibatch(examples, size=compounding(4.0, 64.0, 1.001)):
            nlp.update(some, sgd=optimiser, drop=DROPOUT)
    nlp.to_disk(model)


def predict(model: str, source: str, target: str) -> None:
    """A line with label and score for each line."""
    nlp = spacy.load(model)
    with Path(target).open("w", encoding="utf-8") as out:
        for doc in nlp.pipe(lines(source), batch_size=BLOCK):
            best = max(doc.cats, key=doc.cats.__getitem__)
            out.write(f"{best}\t{doc.cats[best]:.6f}\n")


def lines(path: str) -> Iterator[str]:
    """The lines of a file without their ends."""
    with Path(path).open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line[:-1]


if __name__ == "__main__":
    obey(train=train, predict=predict)
