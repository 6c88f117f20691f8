"""The front end for waveforms, and the pipeline that chooses between it and the spectrogram."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from multicnn.audio.frontends.logmel import LogMel
from multicnn.audio.frontends.waveform import Waveform
from multicnn.audio.pipeline import AudioPipeline
from multicnn.errors import UsageError
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import outline
from tests.conftest import Cli

pytestmark = pytest.mark.xdist_group("audio_waveform")  # one worker, for they share trained runs


def noise(batch: int, samples: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed)) * 0.3


def test_training_clips_have_mean_0_and_variance_1() -> None:
    clips = noise(6, 500) + 0.05
    frontend = Waveform()
    frontend.fit([clips[:2], clips[2:]])
    heard = frontend(clips)
    assert heard.shape == (6, 1, 500)
    assert abs(heard.mean().item()) < 1e-4
    assert heard.std(correction=0).item() == pytest.approx(1, abs=1e-4)


def test_neither_the_level_nor_the_zeros_behind_a_short_clip_matter() -> None:
    frontend = Waveform()
    frontend.fit([noise(4, 300)])
    clip = noise(1, 300, seed=1)
    torch.testing.assert_close(frontend(0.01 * clip), frontend(clip), rtol=1e-3, atol=1e-4)
    short = torch.cat([clip, torch.zeros(1, 200)], dim=1)
    torch.testing.assert_close(frontend(short)[..., :300], frontend(clip))


def test_silence_stays_finite() -> None:
    frontend = Waveform()
    frontend.fit([torch.zeros(2, 100)])
    assert frontend(torch.zeros(2, 100)).abs().max() == 0
    assert frontend(noise(1, 100)).isfinite().all()


def test_at_least_one_waveform_is_needed() -> None:
    with pytest.raises(ValueError, match="at least one waveform"):
        Waveform().fit([])


def settled(sounds: Path, **settings: Any) -> Any:
    keys = {key.replace("__", "."): value for key, value in settings.items()}
    return outline(load_recipe("audio", None, {"data.path": str(sounds), **keys}), "cpu")


@pytest.mark.parametrize(
    ("settings", "arch", "frontend"),
    [
        ({}, "densenet121", LogMel),
        ({"model__arch": "wave1d"}, "wave1d", Waveform),
        ({"audio__frontend": "waveform"}, "wave1d", Waveform),
        ({"audio__frontend": "logmel", "model__arch": "lenet"}, "lenet", LogMel),
    ],
)
def test_the_front_end_is_what_the_architecture_takes(
    settings: dict[str, str], arch: str, frontend: type, sounds: Path
) -> None:
    plan = settled(sounds, **settings)
    assert plan.recipe.model.arch == arch
    assert plan.recipe.audio.frontend == ("waveform" if frontend is Waveform else "logmel")
    assert type(AudioPipeline().network(plan.recipe, plan.reader, 2).frontend) is frontend


def test_masks_are_for_spectrograms_only(sounds: Path) -> None:
    plan = settled(sounds, model__arch="wave1d", augment__time_mask=0.9)
    augmentation = AudioPipeline().augmentation(plan.recipe)
    x = noise(3, 40)[:, None]
    assert torch.equal(augmentation.features(x, torch.Generator()), x)
    assert not torch.equal(augmentation.inputs(x[:, 0], torch.Generator().manual_seed(0)), x[:, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"model__arch": "lenet", "audio__frontend": "waveform"},
            "audio.frontend is waveform, but lenet takes spectrograms, such as logmel",
        ),
        ({"model__arch": "wave1d", "audio__frontend": "logmel"}, "audio.frontend is logmel, but wave1d takes waveform"),
        ({"model__arch": "wave1d", "audio__mel__hop": 80}, "audio.mel.hop has no effect on the waveform front end"),
        ({"model__arch": "wave1e"}, "no audio architecture wave1e; did you mean wave1d?"),
    ],
)
def test_what_does_not_fit_together_is_told(settings: dict[str, Any], message: str, sounds: Path) -> None:
    with pytest.raises(UsageError) as caught:
        settled(sounds, **settings)
    assert message in str(caught.value)


def train(sounds: Path, run: Path, precision: str, cli: Cli) -> Path:
    options = ("--arch", "wave1d", "--batch-size", "8", "--epochs", "4", "--set", f"training.precision={precision}")
    done = cli("train", "audio", sounds, "--output", run, *options)
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="module")
def trained(sounds: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(sounds, tmp_path_factory.mktemp("waveforms") / "run", "fp32", cli)


def test_high_and_low_tones_are_told_apart(trained: Path, sounds: Path, cli: Cli) -> None:
    figures = json.loads((trained / "metrics.json").read_text())["test"]
    assert figures["accuracy"] >= 0.9
    assert json.loads(cli("evaluate", trained, sounds, "--json").stdout) == figures
    files = [sounds.parent / f"{name}0.wav" for name in ("high", "low")]
    rows = cli("predict", trained, *files, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["label"] for row in rows] == ["high", "low"]


def test_bf16_learns_too(sounds: Path, cli: Cli, tmp_path: Path) -> None:
    run = train(sounds, tmp_path / "run", "bf16", cli)
    assert json.loads((run / "metrics.json").read_text())["test"]["accuracy"] >= 0.9


def test_a_run_can_be_started_from_and_repeated(trained: Path, sounds: Path, cli: Cli, tmp_path: Path) -> None:
    again = ("train", "audio", sounds, "--epochs", "1", "--weights", trained, "--output", tmp_path / "again")
    told = cli(*again, "--arch", "wave1d").stderr
    assert "tensors loaded" in told
    assert "start fresh" not in told
    assert yaml.safe_load((trained / "config.yaml").read_text())["audio"]["frontend"] == "waveform"
    repeated = cli(
        "train", "audio", "--recipe", trained / "config.yaml", "--dry-run", "--output", tmp_path / "repeated"
    )
    assert repeated.returncode == 0, repeated.stderr
