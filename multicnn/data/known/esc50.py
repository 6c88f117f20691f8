"""ESC-50 and its subset ESC-10: environmental sounds in five folds."""

import csv
import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import lead_to, write_manifest

META = "meta/esc50.csv"
REMOTES = (
    Remote(
        "https://github.com/karolpiczak/ESC-50/archive/master.zip",
        "",
        "GitHub packs it on demand and publishes no checksum",
    ),
)
WANTED = re.compile(r"(?:^|/)(meta/esc50\.csv|audio/[^/]+\.wav)$")


def lay_out(files: Files, manifest: Path, only_esc10: bool = False) -> int:
    """Writes path, label, fold and source: the recording that a clip was cut from, never in two folds."""
    with files[META].open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["esc10"] == "True" or not only_esc10]
    there = [(row, files[f"audio/{row['filename']}"]) for row in rows if f"audio/{row['filename']}" in files]
    return write_manifest(
        manifest,
        ("path", "label", "fold", "source"),
        ((lead_to(clip, manifest), row["category"], row["fold"], row["src_file"]) for row, clip in there),
    )


ESC50 = Known(
    "esc50",
    "audio",
    "50 classes of environmental sounds, 5 s each, 5 folds (Piczak 2015)",
    REMOTES,
    WANTED,
    2000,
    "esc50.csv",
    lay_out,
    stay=True,
    options="--folds column --group-column source",
)
ESC10 = Known(
    "esc10",
    "audio",
    "the 10 classes of ESC-50 that are easiest to tell apart, 5 folds (Piczak 2015)",
    REMOTES,
    WANTED,
    400,
    "esc10.csv",
    lambda files, manifest: lay_out(files, manifest, only_esc10=True),
    stay=True,
    options="--folds column --group-column source",
)
