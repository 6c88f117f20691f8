"""SST-2: the whole sentences of the Stanford Sentiment Treebank that are not neutral."""

import re
from collections.abc import Iterator
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import write_manifest

PARTS = {"train": "train.txt", "validation": "dev.txt", "test": "test.txt"}
NEUTRAL = 2
LEAF = re.compile(r"\(\d ([^()]+)\)")
# Signs that a bracketed tree cannot hold as they are.
ESCAPED = {"-LRB-": "(", "-RRB-": ")", r"\/": "/", r"\*": "*"}


def sentences(trees: str) -> Iterator[tuple[str, str]]:
    """The sentence and the label of each tree that is not neutral, such as `(3 (2 It) (4 (2 works) (2 .)))`."""
    for tree in trees.splitlines():
        if not tree.strip():
            continue
        rank = int(tree[1])
        if rank != NEUTRAL:
            text = " ".join(LEAF.findall(tree))
            for escaped, sign in ESCAPED.items():
                text = text.replace(escaped, sign)
            yield text, "positive" if rank > NEUTRAL else "negative"


def lay_out(files: Files, manifest: Path) -> int:
    """Writes text, label and split."""
    return write_manifest(
        manifest,
        ("text", "label", "split"),
        (
            (text, label, part)
            for part, name in PARTS.items()
            for text, label in sentences(files[name].read_text("utf-8"))
        ),
    )


SST2 = Known(
    "sst2",
    "text",
    "sentences of film reviews, 2 classes, train/validation/test (Socher et al. 2013)",
    (
        Remote(
            "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
            "sha256:5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc",
            "Flux, the library for Julia",
        ),
    ),
    re.compile(r"(?:^|/)((?:train|dev|test)\.txt)$"),
    6_920 + 872 + 1_821,
    "sst2.csv",
    lay_out,
)
