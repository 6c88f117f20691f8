"""MR and Subj, the sentences about films by Pang and Lee: a file for each class, a sentence on each line."""

import re
from functools import partial
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import write_manifest

PAGE = "https://www.cs.cornell.edu/people/pabo/movie-review-data"
NO_CHECKSUM = "the data set's page publishes no checksum"


def _lay_out(labels: dict[str, str], files: Files, manifest: Path) -> int:
    """Writes text and label; lines end at a line feed alone, for Latin-1 has other signs that look like line ends."""
    return write_manifest(
        manifest,
        ("text", "label"),
        (
            (line.strip(), label)
            for name, label in labels.items()
            for line in files[name].read_bytes().decode("latin-1").split("\n")
            if line.strip()
        ),
    )


MR = Known(
    "mr",
    "text",
    "sentences of film reviews, positive or negative (Pang and Lee 2005)",
    (Remote(f"{PAGE}/rt-polaritydata.tar.gz", "", NO_CHECKSUM),),
    re.compile(r"(?:^|/)(rt-polarity\.(?:pos|neg))$"),
    10_662,
    "mr.csv",
    partial(_lay_out, {"rt-polarity.pos": "positive", "rt-polarity.neg": "negative"}),
    options="--folds 10",
)
SUBJ = Known(
    "subj",
    "text",
    "sentences about films, subjective or objective (Pang and Lee 2004)",
    (Remote(f"{PAGE}/rotten_imdb.tar.gz", "", NO_CHECKSUM),),
    re.compile(r"(?:^|/)((?:quote|plot)\.tok\.gt9\.5000)$"),
    10_000,
    "subj.csv",
    partial(_lay_out, {"quote.tok.gt9.5000": "subjective", "plot.tok.gt9.5000": "objective"}),
    options="--folds 10",
)
