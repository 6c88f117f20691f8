"""UrbanSound8K: sounds of the street in ten folds."""

import csv
import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import lead_to, write_manifest


def lay_out(files: Files, manifest: Path) -> int:
    """Writes path, label, the official fold, and source: the recording on Freesound that a clip was cut from.

    A random division would put pieces of one recording on both sides, and is worth nothing.
    """
    with files["metadata/UrbanSound8K.csv"].open(encoding="utf-8", newline="") as file:
        rows = [(f"audio/fold{row['fold']}/{row['slice_file_name']}", row) for row in csv.DictReader(file)]
    return write_manifest(
        manifest,
        ("path", "label", "fold", "source"),
        (
            (lead_to(files[name], manifest), row["class"], row["fold"], row["fsID"])
            for name, row in rows
            if name in files
        ),
    )


URBANSOUND8K = Known(
    "urbansound8k",
    "audio",
    "10 classes of sounds of the street, up to 4 s, 10 folds (Salamon et al. 2014)",
    (
        Remote(
            "https://zenodo.org/records/1203745/files/UrbanSound8K.tar.gz",
            "md5:9aa69802bbf37fb986f71ec1483a196e",
            "Zenodo, record 1203745",
        ),
    ),
    re.compile(r"(?:^|/)(metadata/UrbanSound8K\.csv|audio/fold\d+/[^/]+\.wav)$"),
    8732,
    "urbansound8k.csv",
    lay_out,
    stay=True,
    options="--folds column --group-column source",
)
