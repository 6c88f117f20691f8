"""TREC question types: what kind of answer a question asks for."""

import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import write_manifest

PAGE = "https://cogcomp.seas.upenn.edu/Data/QA/QC"
PARTS = {"train": "train_5500.label", "test": "TREC_10.label"}


def lay_out(files: Files, manifest: Path) -> int:
    """Writes text, label (the coarse type), fine (such as LOC:city) and split."""
    lines = [
        (part, *line.split(" ", 1))
        for part, name in PARTS.items()
        for line in files[name].read_bytes().decode("latin-1").split("\n")
        if line.strip()
    ]
    return write_manifest(
        manifest,
        ("text", "label", "fine", "split"),
        ((text.strip(), fine.partition(":")[0], fine, part) for part, fine, text in lines),
    )


TREC = Known(
    "trec",
    "text",
    "questions by what they ask for, 6 classes, train/test (Li and Roth 2002)",
    (
        Remote(f"{PAGE}/train_5500.label", "md5:073462e3fcefaae31e00edb1f18d2d02", "torchtext"),
        Remote(f"{PAGE}/TREC_10.label", "md5:323a3554401d86e650717e2d2f942589", "torchtext"),
    ),
    re.compile(r"(?:^|/)(train_5500\.label|TREC_10\.label)$"),
    5_452 + 500,
    "trec.csv",
    lay_out,
)
