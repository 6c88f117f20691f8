"""Augmentation of sounds, asked for by a recipe's keys."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.conftest import Cli

ALL = ("paper=true", "speed=0.1", "equalizer=6", "mixup=0.4", "noise=0.5", "snr=[15,30]")


def settings(*pairs: str) -> list[str]:
    return [word for pair in pairs for word in ("--set", f"augment.{pair}")]


def test_a_training_with_everything_on_learns_and_repeats(sounds: Path, cli: Cli, tmp_path: Path) -> None:
    quick = ("--arch", "lenet", "--epochs", "12", "--batch-size", "8", "--device", "cpu")
    for name in ("a", "b"):
        done = cli("train", "audio", sounds, "-o", tmp_path / name, *quick, *settings(*ALL))
        assert done.returncode == 0, done.stderr
    a, b = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("a", "b"))
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert json.loads((tmp_path / "a" / "metrics.json").read_text())["test"]["accuracy"] >= 0.9


def test_the_page_shows_what_is_done_to_sounds(sounds: Path, cli: Cli, tmp_path: Path) -> None:
    off = settings("gain=0", "shift=0", "time_mask=0", "frequency_mask=0")
    for name, more in (("off", []), ("on", settings("speed=0.2", "mixup=1"))):
        done = cli("data", "show", sounds, "-o", tmp_path / f"{name}.png", *off, *more)
        assert done.returncode == 0, done.stderr
    without, changed = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("off", "on"))
    assert without.shape == changed.shape
    assert (without != changed).any()


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (("augment.speed=0.6",), "augment.speed"),
        (("augment.equalizer=-1",), "augment.equalizer"),
        (("augment.mixup=-1",), "augment.mixup"),
        (("augment.noise=1", "augment.snr=[20,10]"), "snr goes from the lowest ratio to the highest: [10, 20]"),
        (("augment.noise=1", "augment.snr=200"), "augment.snr"),
        (("augment.snr=10",), "snr has no effect without noise; set augment.noise, its chance, to 1"),
        (("augment.paper=2",), "augment.paper"),
        (("augment.mixup=0.2", "training.loss=hinge"), "needs cross_entropy, not the hinge loss"),
        (("audio.channel=middle",), "audio.channel"),
        (("audio.overlap=1",), "audio.overlap"),
    ],
)
def test_values_out_of_range_start_nothing(pairs: tuple[str, ...], said: str, sounds: Path, cli: Cli) -> None:
    done = cli("train", "audio", sounds, "--dry-run", *(word for pair in pairs for word in ("--set", pair)))
    assert done.returncode == 2
    assert said in done.stderr
