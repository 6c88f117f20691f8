"""A plain PyTorch Kim CNN, as tutorials have it: the network to be better than. Used by benchmarks/text.py.

    python benchmarks/kim_cnn.py train MANIFEST MODEL
    python benchmarks/kim_cnn.py predict MODEL LINES OUTPUT

Kim 2014, section 3.1: windows 3/4/5 x 100, vectors of 300 random numbers, dropout 0.5, norm 3, Adadelta, batches of 50,
a tenth of the training texts to choose among 25 epochs.
"""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from contestant import obey
from torch import Tensor, nn
from torch.nn import functional

BATCH, EPOCHS, BLOCK = 50, 25, 512


class KimCNN(nn.Module):
    """[batch, words] to logits [batch, classes]."""

    def __init__(self, words: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, 300, padding_idx=0)
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)  # as the author's code has them
        self.convolutions = nn.ModuleList(nn.Conv1d(300, 100, window, padding=window - 1) for window in (3, 4, 5))
        self.output = nn.Linear(300, classes)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids).transpose(1, 2)
        pooled = torch.cat([convolution(x).relu().amax(2) for convolution in self.convolutions], dim=1)
        logits: Tensor = self.output(functional.dropout(pooled, 0.5, self.training))
        return logits


def tokens(text: str) -> list[str]:
    """Words and punctuation marks, in small letters."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def batch(texts: list[str], numbers: dict[str, int]) -> Tensor:
    """The words' numbers, [batch, words], padded with 0; 1 is any other word."""
    rows = [[numbers.get(token, 1) for token in tokens(text)] or [1] for text in texts]
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


def train(manifest: str, model: str) -> None:
    """Learns from a manifest with the columns text and label."""
    torch.manual_seed(0)
    with Path(manifest).open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    labels = sorted({label for _, label in rows})
    words = {token for text, _ in rows for token in tokens(text)}
    numbers = {word: number for number, word in enumerate(sorted(words), 2)}
    order = torch.randperm(len(rows)).tolist()
    held_out, rest = ([rows[i] for i in part] for part in (order[: len(rows) // 10], order[len(rows) // 10 :]))
    network = KimCNN(len(numbers) + 2, len(labels))
    optimiser = torch.optim.Adadelta(network.parameters(), rho=0.95)
    best, state = -1, network.state_dict()
    for _ in range(EPOCHS):
        epoch(network, optimiser, rest, labels, numbers)
        right = sum(a == b for a, (_, b) in zip(answers(network, held_out, labels, numbers), held_out, strict=True))
        if right > best:
            best, state = right, {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.save({"state": state, "labels": labels, "numbers": numbers}, model)


def epoch(
    network: KimCNN,
    optimiser: torch.optim.Optimizer,
    rows: list[tuple[str, str]],
    labels: list[str],
    numbers: dict[str, int],
) -> None:
    """Each training text once."""
    network.train()
    order = torch.randperm(len(rows)).tolist()
    for start in range(0, len(rows), BATCH):
        chosen = [rows[i] for i in order[start : start + BATCH]]
        logits = network(batch([text for text, _ in chosen], numbers))
        truth = torch.tensor([labels.index(label) for _, label in chosen])
        optimiser.zero_grad()
        functional.cross_entropy(logits, truth).backward()
        optimiser.step()
        with torch.no_grad():
            network.output.weight.renorm_(2, 0, 3.0)


@torch.no_grad()
def answers(network: KimCNN, rows: list[tuple[str, str]], labels: list[str], numbers: dict[str, int]) -> Iterator[str]:
    """The label of each."""
    network.eval()
    for start in range(0, len(rows), BLOCK):
        logits = network(batch([text for text, _ in rows[start : start + BLOCK]], numbers))
        yield from (labels[number] for number in logits.argmax(1).tolist())


@torch.no_grad()
def predict(model: str, source: str, target: str) -> None:
    """A line with label and score for each line."""
    stored = torch.load(model, weights_only=True)
    network = KimCNN(len(stored["numbers"]) + 2, len(stored["labels"])).eval()
    network.load_state_dict(stored["state"])
    with Path(source).open(encoding="utf-8", newline="\n") as lines, Path(target).open("w", encoding="utf-8") as out:
        while block := [line[:-1] for line in islice(lines, BLOCK)]:
            scores, best = network(batch(block, stored["numbers"])).softmax(1).max(1)
            pairs = zip(best.tolist(), scores.tolist(), strict=True)
            out.writelines(f"{stored['labels'][number]}\t{score:.6f}\n" for number, score in pairs)


if __name__ == "__main__":
    obey(train=train, predict=predict)
