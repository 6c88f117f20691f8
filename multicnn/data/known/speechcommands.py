"""Speech Commands, version 2: single words by many speakers."""

import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import lead_to, write_manifest

LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}


def lay_out(files: Files, manifest: Path) -> int:
    """Writes path, label, split and speaker; what neither list names is for training (section 7 of the paper)."""
    parts = {name: part for part, listed in LISTS.items() for name in files[listed].read_text("utf-8").split()}
    clips = {name: file for name, file in sorted(files.items()) if name.endswith(".wav")}
    return write_manifest(
        manifest,
        ("path", "label", "split", "speaker"),
        (
            (
                lead_to(file, manifest),
                name.partition("/")[0],
                parts.get(name, "train"),
                Path(name).stem.partition("_")[0],
            )
            for name, file in clips.items()
        ),
    )


SPEECHCOMMANDS = Known(
    "speechcommands",
    "audio",
    "35 spoken words, 1 s each, version 2, train/validation/test by speaker (Warden 2018)",
    (
        Remote(
            "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            "torchaudio and TensorFlow Datasets",
        ),
    ),
    re.compile(r"(?:^|/)([a-z]+/[0-9a-f]+_nohash_\d+\.wav|validation_list\.txt|testing_list\.txt)$"),
    105_829,
    "speechcommands.csv",
    lay_out,
    stay=True,
)
