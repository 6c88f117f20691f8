"""Clips of any length as pictures of one size: each as if it were alone, in PyTorch, ONNX Runtime and a whole run."""

import csv
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from multicnn.audio.frontends.choose import build_frontend, settle_frontend
from multicnn.audio.frontends.logmel import LogMel
from multicnn.audio.frontends.stretch import extent, resizing
from multicnn.audio.read import AudioReader
from multicnn.errors import UsageError
from multicnn.recipe_sections import Audio
from tests.audio.front_end_checks import exported, noise
from tests.conftest import PITCHES, Cli

RATE, SAMPLES = 8000, 8000
LENGTHS = (8000, 5003, 2401, 900)
STRETCHED = ("logmel", "mel3", "pcen", "cqt")


def front_end(name: str, samples: int, fit: str) -> nn.Module:
    """The front end by the defaults for clips of a second; unless stretched, for clips of so many samples."""
    audio = Audio.model_validate({"sample_rate": RATE, "duration": SAMPLES / RATE, "fit": fit, "frontend": name})
    settle_frontend(audio)
    return build_frontend(audio, samples)


def clip(length: int) -> Tensor:
    return noise(1, length, seed=length)[0]


def as_read(waveform: np.ndarray) -> np.ndarray:
    file = BytesIO()
    soundfile.write(file, waveform, RATE, format="WAV", subtype="FLOAT")
    return AudioReader(RATE, SAMPLES, "stretch").read(file.getvalue())


def batch() -> Tensor:
    return torch.from_numpy(np.stack([as_read(clip(length).numpy()) for length in LENGTHS]))


def resized(picture: Tensor, frames: int) -> Tensor:
    size = (picture.shape[-2], frames)
    return nn.functional.interpolate(picture, size, mode="bilinear", antialias=True)


@pytest.mark.parametrize("name", STRETCHED)
def test_each_clip_is_resized_as_if_it_were_alone(name: str) -> None:
    pictures = front_end(name, SAMPLES, "stretch")(batch())
    for picture, length in zip(pictures, LENGTHS, strict=True):
        alone = resized(front_end(name, length, "pad")(clip(length)[None]), picture.shape[-1])
        torch.testing.assert_close(picture[None], alone, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", STRETCHED)
def test_a_clip_of_full_length_is_what_it_is_without(name: str) -> None:
    x = noise(2, SAMPLES)
    torch.testing.assert_close(
        front_end(name, SAMPLES, "stretch")(x), front_end(name, SAMPLES, "pad")(x), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("length", [1, 2, 60, 170])
def test_the_shortest_are_mirrored_again_and_again(length: int) -> None:
    x = clip(length).numpy()
    mirrored = np.pad(x, (0, SAMPLES), mode="reflect")[None] * np.float32(0.1 / np.sqrt(np.mean(np.square(x))))
    front = front_end("logmel", SAMPLES, "stretch")
    assert isinstance(front, LogMel)
    mean, std = front.statistics
    expected = (front.spectrogram(torch.from_numpy(mirrored))[..., : 1 + length // front.hop] - mean) / std
    seen = front(torch.from_numpy(as_read(x))[None])
    torch.testing.assert_close(seen, resized(expected[None], seen.shape[-1]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", STRETCHED)
def test_onnx_runtime_agrees(name: str, tmp_path: Path) -> None:
    front = front_end(name, SAMPLES, "stretch")
    session = exported(front, SAMPLES, tmp_path)
    for x in (batch(), batch()[2:3], torch.zeros(1, SAMPLES)):
        (theirs,) = session.run(None, {"input": x.numpy()})
        np.testing.assert_allclose(theirs, front(x).numpy(), rtol=0, atol=1e-3)


def test_the_statistics_are_those_of_what_the_network_sees() -> None:
    front, x = front_end("logmel", SAMPLES, "stretch"), batch()
    front.fit([x])
    bands = front(x)[:, 0].double()
    assert bands.mean(dim=(0, 2)).abs().max() < 1e-3
    assert (bands.std(dim=(0, 2)) - 1).abs().max() < 1e-2


def test_digital_silence_at_the_ends_is_part_of_the_clip() -> None:
    waveform = np.concatenate([np.zeros(500), clip(900).numpy(), np.zeros(301)]).astype(np.float32)
    read = as_read(waveform)
    first, length = extent(torch.from_numpy(read)[None])
    assert (int(first), int(length)) == ((SAMPLES - 1701) // 2, 1701)
    np.testing.assert_allclose(read[int(first) : int(first) + 1701], waveform, rtol=0, atol=1e-8)


def test_rows_of_different_lengths_at_once() -> None:
    rows = noise(3, 50)
    lengths = torch.tensor([[50], [20], [1]])
    matrices = resizing(lengths, 50, 30)
    for row, length, matrix in zip(rows, lengths, matrices, strict=True):
        expected = resized(row[None, None, None, : int(length)], 30)[0, 0, 0]
        torch.testing.assert_close(row @ matrix, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["waveform", "mfcc"])
def test_refuses_what_it_cannot_do(name: str) -> None:
    with pytest.raises(UsageError, match=f"audio.fit stretch resizes spectrograms, not {name}.*choose pad"):
        front_end(name, SAMPLES, "stretch")


def test_the_shipped_model_is_the_measured_one(cli: Cli, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = []
    for name, pitch in PITCHES.items():
        for index in range(24):
            seconds = np.arange(rng.integers(400, 3200)) / RATE
            wave = 0.3 * np.sin(2 * np.pi * pitch * seconds) + rng.normal(0, 0.02, len(seconds))
            soundfile.write(tmp_path / f"{name}{index}.wav", wave, RATE)
            rows.append((f"{name}{index}.wav", name, "test" if index < 5 else "train"))
    with (tmp_path / "sounds.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    run, data = tmp_path / "run", tmp_path / "sounds.csv"
    options = ("--arch", "lenet", "--epochs", "6", "--batch-size", "8", "--set", "audio.fit=stretch", "--output", run)
    done = cli("train", "audio", data, *options)
    assert done.returncode == 0, done.stderr
    figures = json.loads((run / "metrics.json").read_text())["test"]
    assert figures["accuracy"] >= 0.9
    assert json.loads(cli("evaluate", run, data, "--json").stdout) == figures
