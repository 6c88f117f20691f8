"""IMDb: whole film reviews."""

import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import write_manifest
from multicnn.data.order import natural_key

LABELS = {"pos": "positive", "neg": "negative"}


def lay_out(files: Files, manifest: Path) -> int:
    """Writes text, label and split; the reviews without a label are left out."""
    names = sorted(files, key=natural_key)
    return write_manifest(
        manifest,
        ("text", "label", "split"),
        ((files[name].read_text("utf-8"), LABELS[name.split("/")[1]], name.partition("/")[0]) for name in names),
    )


IMDB = Known(
    "imdb",
    "text",
    "whole film reviews, positive or negative, train/test (Maas et al. 2011)",
    (
        Remote(
            "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            "md5:7c2ac02c03563afcf9b574c7e56c153a",
            "torchtext",
        ),
    ),
    re.compile(r"(?:^|/)((?:train|test)/(?:pos|neg)/\d+_\d+\.txt)$"),
    50_000,
    "imdb.csv",
    lay_out,
)
