"""The Free Spoken Digit Dataset."""

import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import lead_to, write_manifest
from multicnn.data.order import natural_key

TEST = range(5)  # the indices of the official test part, as the data set's page has it


def lay_out(files: Files, manifest: Path) -> int:
    """Writes path, label, split and speaker, which all stand in the names: 7_jackson_32.wav."""
    clips = [(Path(name).stem.split("_"), files[name]) for name in sorted(files, key=natural_key)]
    return write_manifest(
        manifest,
        ("path", "label", "split", "speaker"),
        (
            (lead_to(file, manifest), digit, "test" if int(index) in TEST else "train", speaker)
            for (digit, speaker, index), file in clips
        ),
    )


FSDD = Known(
    "fsdd",
    "audio",
    "spoken digits by 6 speakers, 8 kHz, train/test (Jackson et al.)",
    (
        Remote(
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.tar.gz",
            "",
            "GitHub packs it on demand and publishes no checksum",
        ),
    ),
    re.compile(r"(?:^|/)(recordings/\d_[a-z]+_\d+\.wav)$"),
    3000,
    "fsdd.csv",
    lay_out,
    stay=True,
)
