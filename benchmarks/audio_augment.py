"""What the paper's augmentation costs: pitch shift and time stretch of a clip, by librosa and by multicnn.

    python benchmarks/audio_augment.py --seconds 5 --rate 44100 --batch 32 --runs 7

Palanisamy et al. 2020 shift each clip by -2 to 2 semitones and stretch it by 0.9 to 1.2, clip by clip, with librosa;
`augment.paper` does so for a batch, on the device that trains. Prints the machine and the versions, then milliseconds
a clip: median, minimum and maximum of the runs, and how many times as quick as librosa's median it is.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from librosa.effects import pitch_shift, time_stretch
from machine import header

from multicnn.audio.augment import AudioAugmentation, Equalizer
from multicnn.audio.augment_time import FASTEST, SEMITONES, SLOWEST, PitchAndTempo, Speed

VERSIONS = ("multicnn", "torch", "torchaudio", "librosa")


def by_librosa(clips: np.ndarray, rate: int) -> None:
    """Each clip by itself, with chances of its own."""
    rng = np.random.default_rng(0)
    for clip in clips:
        steps = int(rng.integers(min(SEMITONES), max(SEMITONES) + 1))
        pitched = pitch_shift(clip, sr=rate, n_steps=steps)
        time_stretch(pitched, rate=float(rng.uniform(SLOWEST, FASTEST)))


def milliseconds(work: Callable[[], object], clips: int, runs: int, device: str) -> list[float]:
    """A clip's time in each of several runs, sorted, after one that is not counted."""
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        taken.append((time.perf_counter() - started) * 1000 / clips)
    return sorted(taken[1:])


def described(arguments: argparse.Namespace) -> str:
    """Hardware, versions and the number of runs."""
    where = torch.cuda.get_device_name() if arguments.device.startswith("cuda") else arguments.device
    return header(
        VERSIONS,
        f"{where}, {torch.get_num_threads()} threads; clips of {arguments.seconds:g} s at {arguments.rate:,} Hz, "
        f"{arguments.batch} a batch; {arguments.runs} runs; milliseconds a clip",
    )


def main() -> None:
    """Parses the command line, measures, prints."""
    parser = argparse.ArgumentParser(description="Milliseconds that augmentations of sounds take for a clip.")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a clip (default: 5)")
    parser.add_argument("--rate", type=int, default=44_100, help="Hz (default: 44100)")
    parser.add_argument("--batch", type=int, default=32, help="clips a batch (default: 32)")
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default: 7)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for multicnn's (default: cpu)")
    arguments = parser.parse_args()
    shape = (arguments.batch, round(arguments.seconds * arguments.rate))
    clips = np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
    batch = torch.from_numpy(clips).to(arguments.device)
    generator = torch.Generator(arguments.device).manual_seed(0)
    changes = {
        "augment.paper": PitchAndTempo(arguments.rate),
        "augment.speed": Speed(0.1),
        "augment.equalizer": Equalizer(6.0),
        "augment.noise, gain, shift": AudioAugmentation(6.0, 0.1, 1.0),
    }
    print(described(arguments), end="\n\n")
    print(f"{'':28}  median     min     max  times")
    few = clips[:8]
    reference = milliseconds(lambda: by_librosa(few, arguments.rate), len(few), arguments.runs, "cpu")
    show("librosa, as the paper", reference, reference)
    for name, change in changes.items():
        taken = milliseconds(lambda: change(batch, generator), len(batch), arguments.runs, arguments.device)  # noqa: B023
        show(name, taken, reference)


def show(name: str, taken: list[float], reference: list[float]) -> None:
    """One row."""
    median = statistics.median(taken)
    times = statistics.median(reference) / median
    print(f"{name:28} {median:7.2f} {taken[0]:7.2f} {taken[-1]:7.2f} {times:6.1f}", flush=True)


if __name__ == "__main__":
    main()
