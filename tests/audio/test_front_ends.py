"""Every front end from the recipe to the shipped model: settled, trained, masked, exported, measured."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from multicnn.audio.frontends.choose import SECTIONS
from multicnn.audio.pipeline import AudioPipeline
from multicnn.errors import UsageError
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import Outline, outline
from tests.audio.front_end_checks import noise
from tests.conftest import Cli

SHAPES = {  # of the sounds of 0.4 s at 8 kHz
    "logmel": (1, 64, 81),
    "mel3": (3, 128, 250),
    "pcen": (1, 64, 81),
    "mfcc": (1, 40, 81),
    "cqt": (1, 83, 81),
    "waveform": (1, 3200),
}


def settled(sounds: Path, **settings: Any) -> Outline:
    keys = {key.replace("__", "."): value for key, value in settings.items()}
    return outline(load_recipe("audio", None, {"data.path": str(sounds), **keys}), "cpu")


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_what_the_network_hears(name: str, shape: tuple[int, ...], sounds: Path) -> None:
    plan = settled(sounds, audio__frontend=name)
    model = AudioPipeline().network(plan.recipe, plan.reader, 2).eval()
    AudioPipeline().calibrate(model, noise(4, 3200))
    heard = model.frontend(noise(2, 3200))
    assert heard.shape == (2, *shape)
    assert model(noise(2, 3200)).shape == (2, 2)


def test_there_is_one_for_each_choice_of_the_recipe() -> None:
    assert set(SHAPES) == set(SECTIONS)


def test_filters_for_photographs_fit_three_channels(sounds: Path) -> None:
    plan = settled(sounds, audio__frontend="mel3")
    network = AudioPipeline().network(plan.recipe, plan.reader, 2).network
    assert plan.recipe.model.arch == "densenet121"
    assert network.get_parameter("features.conv0.weight").shape == (64, 3, 7, 7)


@pytest.mark.parametrize("name", ["mel3", "pcen", "mfcc", "cqt"])
def test_masks_hide_the_same_place_in_every_channel(name: str, sounds: Path) -> None:
    plan = settled(sounds, audio__frontend=name, augment__time_mask=0.5, augment__frequency_mask=0.5)
    seen = torch.ones(4, *SHAPES[name])
    masked = AudioPipeline().augmentation(plan.recipe).features(seen, torch.Generator().manual_seed(0))
    assert 0 < masked.mean() < 1
    assert torch.equal(masked, masked[:, :1].expand_as(masked))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frontend": "mel3", "mel__hop": 80}, "audio.mel.hop has no effect on mel3, which has three of its own"),
        ({"frontend": "logmel", "pcen__gain": 0.5}, "audio.pcen.gain has no effect on the logmel front end"),
        ({"frontend": "cqt", "mel__n_mels": 40}, "audio.mel.n_mels has no effect on the cqt front end"),
        ({"mfcc__n_mfcc": 13}, "audio.mfcc.n_mfcc has no effect on the logmel front end"),
    ],
)
def test_a_setting_without_effect_is_refused(settings: dict[str, Any], message: str, sounds: Path) -> None:
    with pytest.raises(UsageError, match=message):
        settled(sounds, **{f"audio__{key}": value for key, value in settings.items()})


def test_settings_arrive(sounds: Path) -> None:
    for settings, shape in (
        ({"frontend": "mel3", "mel3__frames": 99, "mel__n_mels": 32}, (3, 32, 99)),
        ({"frontend": "mfcc", "mfcc__n_mfcc": 13, "mel__hop": 100}, (1, 13, 33)),
        ({"frontend": "cqt", "cqt__bins_per_octave": 24, "cqt__f_min": 100.0}, (1, 127, 81)),
        ({"frontend": "pcen", "pcen__time_constant": 0.06, "mel__n_mels": 32}, (1, 32, 81)),
    ):
        plan = settled(sounds, model__arch="lenet", **{f"audio__{key}": value for key, value in settings.items()})
        assert AudioPipeline().network(plan.recipe, plan.reader, 2).frontend(noise(1, 3200)).shape == (1, *shape)


# PCEN takes away what is steady, such as these tones.
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("mel3", 0.9),
        pytest.param("pcen", 0.6, marks=pytest.mark.slow),
        pytest.param("mfcc", 0.9, marks=pytest.mark.slow),
        pytest.param("cqt", 0.9, marks=pytest.mark.slow),
    ],
)
def test_the_shipped_model_is_the_measured_one(name: str, least: float, sounds: Path, cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ("--arch", "lenet", "--epochs", "6", "--batch-size", "8", "--frontend", name, "--output", run)
    done = cli("train", "audio", sounds, *options)
    assert done.returncode == 0, done.stderr
    figures = json.loads((run / "metrics.json").read_text())["test"]
    assert figures["accuracy"] >= least
    assert json.loads(cli("evaluate", run, sounds, "--json").stdout) == figures
    files = [sounds.parent / f"{kind}0.wav" for kind in ("high", "low")]
    rows = cli("predict", run, *files, "--format", "jsonl").stdout.splitlines()
    assert {json.loads(row)["label"] for row in rows} <= {"high", "low"}
    repeated = cli("train", "audio", "--recipe", run / "config.yaml", "--dry-run", "--output", tmp_path / "again")
    assert repeated.returncode == 0, repeated.stderr


def test_statistics_of_one_are_never_those_of_another(sounds: Path, cli: Cli, tmp_path: Path) -> None:
    """A log-mel run is gone on with as PCEN, which has as many bands."""
    options = ("--arch", "lenet", "--epochs", "1", "--batch-size", "8")
    cli("train", "audio", sounds, *options, "--output", tmp_path / "logmel")
    again = ("--frontend", "pcen", "--weights", tmp_path / "logmel", "--output", tmp_path / "pcen")
    done = cli("train", "audio", sounds, *options, *again)
    assert done.returncode == 0, done.stderr
    assert "pcen_mean, frontend.pcen_std" in done.stderr


def test_the_option_is_the_audio_pipelines(cli: Cli) -> None:
    assert "--frontend" in cli("train", "audio", "--help").stdout
    assert "--frontend" not in cli("train", "image", "--help").stdout
