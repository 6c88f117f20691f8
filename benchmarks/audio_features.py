"""Clips per second from WAV files to the paper's three log-mel spectrograms: multicnn, librosa, torchaudio.

    python benchmarks/audio_features.py --clips 64 --seconds 5 --rate 44100 --runs 7

The clips are noise and tones, written to a temporary folder. Everyone reads them, brings each to one level, computes
the three mel spectrograms of Palanisamy et al. 2020 (windows of 25, 50 and 100 ms, 128 bands), takes logarithms and
resizes each to 128 x 250. multicnn works as `train audio` does (files are read by threads, spectrograms are computed in
batches) and as `features` does (through ONNX Runtime, with a model that is trained for it for one epoch). librosa with
Pillow and torchaudio's MelSpectrogram work clip by clip, as many clips at once as there are cores, in one thread each;
torchaudio's clips are read by soundfile.

All take turns, so that a busy machine hurts all alike. Prints the machine and the versions, then for each the clips/s
and the processor milliseconds of a clip, median (minimum to maximum), and the largest difference from librosa's
features, where a logarithm is 1 when the power is 2.7 times as large.

Seen (two cores of an AMD EPYC, 64 clips, 7 runs): 103 clips/s as in training, 43 by `features`, librosa 47, torchaudio
73; see docs/results.md.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
import torchaudio
from machine import header
from PIL import Image

from multicnn.audio.frontends.logmel import LogMel
from multicnn.audio.frontends.mel3 import HOPS, WINDOWS, Mel3, mel3_defaults, mel3_frames
from multicnn.audio.read import AudioReader
from multicnn.bundle.read import WEIGHTS, open_bundle
from multicnn.bundle.tensors import load_tensors
from multicnn.data.blob import Blob
from multicnn.data.decode import collect, decode, default_workers
from multicnn.data.example import Example
from multicnn.data.recordings import cut
from multicnn.inference.layers import open_layer
from multicnn.inference.lines import Item
from multicnn.inference.stream import answers

LEVEL, FLOOR, BANDS = 0.1, 1e-6, 128
TRAINING_BATCH, FEATURES_BATCH = 32, 16
NETWORK = "conv3-4 relu gap fc"  # of the model that `features` asks; what follows the front end is not computed


@dataclass
class Contestant:
    """One of them: how it is called, how it makes features of all clips, and what that took.

    Attributes:
        name: for the table.
        features: to [clips, 3, bands, frames].
        threads: that PyTorch computes an operation with.
        speed: clips/s of each run.
        work: processor milliseconds of a clip in each run.
    """

    name: str
    features: Callable[[], np.ndarray]
    threads: int
    speed: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def run(self) -> np.ndarray:
        """All clips once; the features."""
        torch.set_num_threads(self.threads)
        wall, cpu = time.perf_counter(), time.process_time()
        made = self.features()
        self.speed.append(len(made) / (time.perf_counter() - wall))
        self.work.append((time.process_time() - cpu) * 1000 / len(made))
        return made


def main() -> None:
    """Writes the clips, measures, prints."""
    parser = argparse.ArgumentParser(description="Clips per second from files to three mel spectrograms.")
    parser.add_argument("--clips", type=int, default=64, help="how many (default: 64)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a clip (default: 5)")
    parser.add_argument("--rate", type=int, default=44_100, help="Hz (default: 44100)")
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default: 7)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clips = write(Path(name) / "clips", arguments)
        contestants = [
            Contestant("multicnn, training", training(clips, arguments), default_workers()),
            Contestant("multicnn, features", features(clips, Path(name)), default_workers()),
            Contestant("librosa", clip_by_clip(by_librosa(arguments), clips), 1),
            Contestant("torchaudio", clip_by_clip(by_torchaudio(arguments), clips), 1),
        ]
        made = [contestant.run() for contestant in contestants]
        for contestant in contestants:  # the first time counts for nothing
            contestant.speed.clear()
            contestant.work.clear()
        for _ in range(arguments.runs):
            for contestant in contestants:
                contestant.run()
    clip = f"{arguments.seconds:g} s at {arguments.rate:,} Hz"
    what = f"{arguments.clips} clips of {clip}, {arguments.runs} runs in turns"
    print(header(("multicnn", "torch", "torchaudio", "librosa", "onnxruntime"), what), end="\n\n")
    print("| | clips/s | processor ms a clip | largest difference |")
    print("|---|---|---|---|")
    for contestant, one in zip(contestants, made, strict=True):
        difference = np.abs(one - made[2]).max()
        print(f"| {contestant.name} | {told(contestant.speed)} | {told(contestant.work)} | {difference:.1g} |")


def told(values: list[float]) -> str:
    """Median (minimum to maximum)."""
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def write(folder: Path, arguments: argparse.Namespace) -> list[Path]:
    """Noise with tones, 16 bits a sample, in two classes."""
    rng = np.random.default_rng(0)
    seconds = np.arange(round(arguments.seconds * arguments.rate)) / arguments.rate
    paths = []
    for number in range(arguments.clips):
        path = folder / ("low" if number % 2 else "high") / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        tones = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in rng.uniform(50, arguments.rate / 2, 5))
        soundfile.write(path, 0.1 * tones + rng.normal(0, 0.05, len(seconds)), arguments.rate, "PCM_16")
        paths.append(path)
    return paths


def training(clips: list[Path], arguments: argparse.Namespace) -> Callable[[], np.ndarray]:
    """Reading and front end as in `multicnn train audio`; mean and deviation are left at 0 and 1."""
    samples = round(arguments.seconds * arguments.rate)
    reader = AudioReader(arguments.rate, samples)
    front = Mel3(arguments.rate, samples, frames=mel3_frames(arguments.seconds), **mel3_defaults(arguments.rate))
    for scale in front.scales.children():
        assert isinstance(scale, LogMel)
        mean, deviation = scale.statistics
        mean.zero_()
        deviation.fill_(1)
    examples = [Example(path.name, Blob(path), "any") for path in clips]

    @torch.no_grad()
    def make() -> np.ndarray:
        pieces = cut(examples, reader, training=True)
        decoded = collect(pieces, decode(pieces.examples, reader, default_workers()))
        assert isinstance(decoded.arrays, np.ndarray)
        waves = torch.from_numpy(decoded.arrays)
        batches = (waves[start : start + TRAINING_BATCH] for start in range(0, len(waves), TRAINING_BATCH))
        return np.concatenate([front(batch).numpy() for batch in batches])

    return make


def features(clips: list[Path], folder: Path) -> Callable[[], np.ndarray]:
    """As in `multicnn features --layer frontend`; mean and deviation, which training measures, are taken back."""
    run = folder / "run"
    train = [sys.executable, "-m", "multicnn", "train", "audio", str(folder / "clips"), "--frontend", "mel3", "-q"]
    subprocess.run([*train, "--arch", NETWORK, "--epochs", "1", "-o", str(run)], check=True, stdout=sys.stderr)
    layer = open_layer(open_bundle(run), "frontend")
    weights, _ = load_tensors(run / "model" / WEIGHTS)
    mean, deviation = (
        np.stack([weights[f"frontend.scales.{number}.{name}"].numpy() for number in range(len(WINDOWS))])
        for name in ("mean", "std")
    )
    inputs: list[Item] = [Example(str(path), Blob(path)) for path in clips]

    def make() -> np.ndarray:
        stream = answers(layer, [inputs], batch_size=FEATURES_BATCH, workers=default_workers(), live=False)
        rows: np.ndarray = np.concatenate([batch.probabilities for batch in stream])
        measured: np.ndarray = rows.reshape(-1, *layer.shape) * deviation + mean
        return measured

    return make


def clip_by_clip(make: Callable[[Path], np.ndarray], clips: list[Path]) -> Callable[[], np.ndarray]:
    """A function of one file, for all of them, as many at once as there are cores."""

    def make_all() -> np.ndarray:
        with ThreadPoolExecutor(default_workers()) as pool:
            return np.stack(list(pool.map(make, clips)))

    return make_all


def sizes(rate: int) -> list[tuple[int, int]]:
    """Window and hop of each spectrogram, in samples."""
    return [(round(rate * window), round(rate * hop)) for window, hop in zip(WINDOWS, HOPS, strict=True)]


def by_librosa(arguments: argparse.Namespace) -> Callable[[Path], np.ndarray]:
    """Reading and spectrograms by librosa, resizing by Pillow, as the paper's code does."""
    rate, frames = arguments.rate, mel3_frames(arguments.seconds)
    longest = round(rate * max(WINDOWS))

    def make(path: Path) -> np.ndarray:
        clip, _ = librosa.load(path, sr=None)
        clip = clip * (LEVEL / np.sqrt(np.mean(np.square(clip))))
        channels = []
        for window, hop in sizes(rate):
            mel = librosa.feature.melspectrogram(
                y=clip,
                sr=rate,
                n_fft=longest,
                win_length=window,
                hop_length=hop,
                n_mels=BANDS,
                htk=True,
                norm=None,
                pad_mode="reflect",
            )
            picture = Image.fromarray(np.log(mel + FLOOR))
            channels.append(np.asarray(picture.resize((frames, BANDS), Image.Resampling.BILINEAR)))
        return np.stack(channels)

    return make


def by_torchaudio(arguments: argparse.Namespace) -> Callable[[Path], np.ndarray]:
    """Spectrograms by torchaudio, resizing by PyTorch."""
    rate, frames = arguments.rate, mel3_frames(arguments.seconds)
    spectrograms = [
        torchaudio.transforms.MelSpectrogram(
            rate, n_fft=round(rate * max(WINDOWS)), win_length=window, hop_length=hop, n_mels=BANDS
        )
        for window, hop in sizes(rate)
    ]

    @torch.no_grad()
    def make(path: Path) -> np.ndarray:
        clip = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
        clip = clip * (LEVEL / clip.square().mean().sqrt())
        channels = [resized(torch.log(spectrogram(clip) + FLOOR), frames) for spectrogram in spectrograms]
        return torch.stack(channels).numpy()

    return make


def resized(picture: torch.Tensor, frames: int) -> torch.Tensor:
    """[bands, any] to [bands, frames], as Pillow's bilinear filter does."""
    size = (len(picture), frames)
    return torch.nn.functional.interpolate(picture[None, None], size, mode="bilinear", antialias=True)[0, 0]


if __name__ == "__main__":
    main()
