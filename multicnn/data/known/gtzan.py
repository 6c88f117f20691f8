"""GTZAN: music of ten genres, with its repetitions named, or cut into parts without its faults."""

import re
from pathlib import Path

from multicnn.data.known.known import Files, Known, Remote
from multicnn.data.known.writing import lead_to, write_manifest

# Excerpts that are exact copies of each other: Sturm 2012, "An Analysis of the GTZAN Music Genre Dataset", and 2013,
# arXiv 1306.1461, which count 50 superfluous ones. One of them is in two genres: metal 58 is rock 16.
REPETITIONS = {
    "disco": "50,51,70 55,60,89 71,74 98,99",
    "hiphop": "39,45 76,78",
    "jazz": "33,51 34,53 35,55 36,58 37,60 38,62 39,65 40,67 42,68 43,69 44,70 45,71 46,72",
    "metal": "4,13 34,94 40,61 41,62 42,63 43,64 44,65 45,66",
    "pop": "15,22 30,31 45,46 47,80 52,57 54,60 56,59 67,71 87,90",
    "reggae": "3,54 5,56 8,57 10,60 13,58 41,69 73,74 75,91,92 80,81,82",
}
ACROSS = {"rock.00016": "metal.00058"}

# Kereliuk, Sturm and Larsen 2015, "Deep Learning and Music Adversaries": 930 excerpts without repetitions and other
# faults, no artist in two parts; as in torchaudio's GTZAN. The first and the last number of each run.
FILTERED = {
    "train": {
        "blues": "29-49 73-97",
        "classical": "30-33 43-48 50-67 80-99",
        "country": "19-26 28-29 65-99",
        "disco": "5 15-20 22-37 39-45 47 49 53-54 56-57 59 61 70 73-74 89",
        "hiphop": "2-25 28-29 31-38 41-42 55-61 77-80",
        "jazz": "0-1 11-24 41 47-72",
        "metal": "2-3 5 21 24 35 46-57 59-66 69 71-72 79-80 84 86 89-99",
        "pop": "2-9 11-12 16-20 23-29 31-36 38-42 44 46 49-50 80 97-99",
        "reggae": "0-2 4 6 9 11-12 14-32 42-45 49-51 54-60 63 69",
        "rock": "0-9 16-26 57-70 91-99",
    },
    "validation": {
        "blues": "0-11 50-60",
        "classical": "0-10 68-76",
        "country": "0-7 9-18 27 41-42 45 49",
        "disco": "0 2-4 6-14 46 48 52 67-68 72 75 90 95",
        "hiphop": "81-98",
        "jazz": "2-10 25-32",
        "metal": "0-1 6-11 16-20 36-37 68 76-77 81-82",
        "pop": "10 53 55 58-62 81 83-86",
        "reggae": "61-62 70 72 74 76-78 85 92-99",
        "rock": "38 49-56 71-85",
    },
    "test": {
        "blues": "12-28 61-72 98-99",
        "classical": "11-29 34-41 49 77-79",
        "country": "30-40 43-44 46-48 50-51 53-64",
        "disco": "1 21 58 62-66 69 76-88 91-94 96-97 99",
        "hiphop": "0 26-27 30 40 43-45 51-54 62-75 99",
        "jazz": "73-99",
        "metal": "12-15 22-23 25-33 38-39 67 70 73-75 78 83 85 87-88",
        "pop": "0-1 13-14 43 63-66 69-79 82 88-96",
        "reggae": "34-40 46-48 52-53 64-68 71 79 82-84 87-90",
        "rock": "10-15 27-37 39-48 86-90",
    },
}


def repetitions() -> dict[str, str]:
    """Every excerpt that repeats another, and the one with the lowest number that it repeats."""
    groups = [(genre, run.split(",")) for genre, runs in REPETITIONS.items() for run in runs.split()]
    within = {
        f"{genre}.{int(copy):05}": f"{genre}.{int(first):05}" for genre, (first, *copies) in groups for copy in copies
    }
    return within | ACROSS


def filtered_parts() -> dict[str, str]:
    """The part of each excerpt in the fault-filtered division."""
    parts: dict[str, str] = {}
    for part, genres in FILTERED.items():
        for genre, runs in genres.items():
            for run in runs.split():
                first, _, last = run.partition("-")
                numbers = range(int(first), int(last or first) + 1)
                parts |= {f"{genre}.{number:05}": part for number in numbers}
    return parts


def lay_out(files: Files, manifest: Path) -> int:
    """Writes path, label and piece, which is the same for all copies of one excerpt: `--group-column piece`."""
    copies = repetitions()
    excerpts = ((Path(name).stem, lead_to(file, manifest)) for name, file in sorted(files.items()))
    return write_manifest(
        manifest,
        ("path", "label", "piece"),
        ((path, stem.partition(".")[0], copies.get(stem, stem)) for stem, path in excerpts),
    )


def lay_out_filtered(files: Files, manifest: Path) -> int:
    """Writes path, label and split of the excerpts that the fault-filtered division has."""
    parts = filtered_parts()
    excerpts = ((Path(name).stem, lead_to(file, manifest)) for name, file in sorted(files.items()))
    return write_manifest(
        manifest,
        ("path", "label", "split"),
        ((path, stem.partition(".")[0], parts[stem]) for stem, path in excerpts if stem in parts),
    )


REMOTES = (
    Remote(
        "https://huggingface.co/datasets/marsyas/gtzan/resolve/7031b102fce5383cfdfa12714eaf42065e82b855/data/genres.tar.gz",
        "sha256:b28cc067ff6199bd826f5d1a6931458586d64acae7f44b2e882b7a97af057531",
        "Hugging Face, the file's page at that revision of marsyas/gtzan",
    ),
)
WANTED = re.compile(r"(?:^|/)(([a-z]+)/\2\.\d{5}\.(?:wav|au))$")
GTZAN = Known(
    "gtzan",
    "audio",
    "10 genres of music, 30 s each; copies share a piece (Tzanetakis and Cook 2002)",
    REMOTES,
    WANTED,
    1000,
    "gtzan.csv",
    lay_out,
    stay=True,
    options="--folds 5 --group-column piece",
)
GTZAN_FILTERED = Known(
    "gtzan_filtered",
    "audio",
    "GTZAN without copies and faults, no artist in two parts (Kereliuk et al. 2015)",
    REMOTES,
    WANTED,
    930,
    "gtzan_filtered.csv",
    lay_out_filtered,
    stay=True,
)
