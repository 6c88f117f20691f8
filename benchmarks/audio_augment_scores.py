"""Whether `augment.paper` teaches what librosa's pitch shift and time stretch teach, by speakers who were not heard.

    multicnn data get fsdd
    python benchmarks/audio_augment_scores.py fsdd/fsdd.csv --epochs 16 --seeds 2

Each of FSDD's six speakers in turn is the test part, the next one the validation part. Three runs of `audio/fsdd_quick`
with as many steps: the clips as they are; with `augment.paper`, which changes each clip anew in every other epoch; and
with a bank beside the clips that librosa made, as Palanisamy et al. 2020 did, in half as many epochs of twice as many
clips. Prints the machine and the versions, then both accuracies of each run and their means.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from librosa.effects import pitch_shift, time_stretch
from machine import header

from multicnn.audio.augment_time import FASTEST, SEMITONES, SLOWEST

VERSIONS = ("multicnn", "torch", "librosa")
COLUMNS = ("path", "label", "split")
# Samples of a phase vocoder's window: librosa's default, and for clips that are shorter.
WINDOW, SHORT_WINDOW = 2048, 512

Row = dict[str, str]


def changed_by_librosa(rows: list[Row], folder: Path) -> list[Row]:
    """Another clip for each, with a pitch and a tempo of its own."""
    rng = np.random.default_rng(0)
    changed = []
    for row in rows:
        clip, rate = soundfile.read(row["path"], dtype="float32")
        steps, tempo = int(rng.integers(min(SEMITONES), max(SEMITONES) + 1)), float(rng.uniform(SLOWEST, FASTEST))
        window = WINDOW if len(clip) >= WINDOW else SHORT_WINDOW
        pitched = pitch_shift(clip, sr=rate, n_steps=steps, n_fft=window)
        path = folder / Path(row["path"]).name
        soundfile.write(path, time_stretch(pitched, rate=tempo, n_fft=window), rate, subtype="PCM_16")
        changed.append({**row, "path": str(path)})
    return changed


def divide(rows: list[Row], more: list[Row], speakers: list[str], left_out: int, manifest: Path) -> Path:
    """Writes a manifest; what is `more` is for training only."""
    parts = {speakers[left_out]: "test", speakers[(left_out + 1) % len(speakers)]: "validation"}
    divided = [(row["path"], row["label"], parts.get(row["speaker"], "train")) for row in rows]
    divided += [(row["path"], row["label"], "train") for row in more if row["speaker"] not in parts]
    with manifest.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *divided])
    return manifest


def scores(manifest: Path, run: Path, epochs: int, seed: int, *settings: str) -> tuple[float, float]:
    """Trains; the accuracy on the validation and on the test part, in percent."""
    command = ["train", "audio", manifest, "--recipe", "audio/fsdd_quick", "--set", "training.time_budget=null"]
    command += ["--epochs", epochs, "--seed", seed, *settings, "--output", run, "--overwrite", "--quiet"]
    subprocess.run([sys.executable, "-m", "multicnn", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    figures = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return 100 * figures["validation"]["accuracy"], 100 * figures["test"]["accuracy"]


def main() -> None:
    """Parses the command line, trains, prints."""
    parser = argparse.ArgumentParser(description="Accuracy with augment.paper, with librosa's changes, with none.")
    parser.add_argument("data", type=Path, help="fsdd.csv, as `multicnn data get fsdd` writes it")
    parser.add_argument("--epochs", type=int, default=16, help="of the clips as they are (default: 16)")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each (default: 2)")
    arguments = parser.parse_args()
    with arguments.data.open(newline="", encoding="utf-8") as file:
        rows = [{**row, "path": str((arguments.data.parent / row["path"]).resolve())} for row in csv.DictReader(file)]
    speakers = sorted({row["speaker"] for row in rows})
    print(header(VERSIONS, f"{arguments.epochs} epochs, {arguments.seeds} seeds"), end="\n\n")
    print("change   seed  left out    validation    test", flush=True)
    found: dict[str, list[tuple[float, float]]] = {"none": [], "paper": [], "librosa": []}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "bank").mkdir()
        bank = changed_by_librosa(rows, folder / "bank")
        for seed in range(arguments.seeds):
            for left_out, speaker in enumerate(speakers):
                plain = divide(rows, [], speakers, left_out, folder / "plain.csv")
                doubled = divide(rows, bank, speakers, left_out, folder / "doubled.csv")
                run, epochs = folder / "run", arguments.epochs
                found["none"].append(scores(plain, run, epochs, seed))
                found["paper"].append(scores(plain, run, epochs, seed, "--set", "augment.paper=true"))
                found["librosa"].append(scores(doubled, run, epochs // 2, seed))
                for change, each in found.items():
                    print(f"{change:8} {seed:4}  {speaker:10} {each[-1][0]:10.1f} {each[-1][1]:8.1f}", flush=True)
    for change, each in found.items():
        validation, test = (mean(part) for part in zip(*each, strict=True))
        print(f"{change:8} mean {'':12} {validation:10.1f} {test:8.1f}")


if __name__ == "__main__":
    main()
