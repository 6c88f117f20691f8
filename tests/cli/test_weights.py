"""`--weights`: published files, a file by hand, an earlier run, also of another pipeline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file

from tests.conftest import Cli


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PyTorch's cache with DenseNet-121 under its published name, its keys as they were before 2018."""
    torch.manual_seed(0)
    state = torchvision.models.densenet121().state_dict()
    old = {
        name.replace("norm1", "norm.1").replace("norm2", "norm.2").replace("conv1", "conv.1").replace("conv2", "conv.2")
        for name in state
    }
    assert any(".norm.1." in name for name in old)
    renamed = {
        name.replace("norm1", "norm.1").replace("norm2", "norm.2").replace("conv1", "conv.1").replace("conv2", "conv.2")
        if "denselayer" in name
        else name: tensor
        for name, tensor in state.items()
    }
    folder = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(renamed, folder / "densenet121-a639ec97.pth")
    return folder.parents[1]


def train_with(hub: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MULTICNN_OFFLINE": "1", "TORCH_HOME": str(hub)}
    command = [sys.executable, "-m", "multicnn", "train", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_imagenet_weights_load_with_their_normalisation(hub: Path, pictures: Path, tmp_path: Path) -> None:
    options = (
        "--arch",
        "densenet121",
        "--weights",
        "imagenet",
        "--set",
        "model.options.stem=imagenet",
        "--set",
        "image.size=32",
    )
    done = train_with(hub, "image", pictures, "-o", tmp_path / "run", *options, "--epochs", "1", "--lr", "1e-12")
    assert done.returncode == 0, done.stderr
    assert "classifier" in done.stderr  # the head is fresh, and said to be
    weights = load_file(tmp_path / "run" / "model" / "weights.safetensors")
    torch.manual_seed(0)
    theirs = torchvision.models.densenet121().state_dict()
    name = "features.denseblock1.denselayer1.conv1.weight"
    torch.testing.assert_close(weights[f"network.{name}"], theirs[name], atol=1e-6, rtol=0)
    torch.testing.assert_close(weights["frontend.mean"].flatten(), torch.tensor([0.485, 0.456, 0.406]))
    bundle = json.loads((tmp_path / "run" / "model" / "bundle.json").read_text())
    assert bundle["provenance"]["weights"] == "imagenet"


def test_auto_says_in_one_line_that_it_trains_from_scratch(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", pictures, "-o", tmp_path / "run", "--arch", "resnet18", "--epochs", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "from scratch" in done.stderr


def test_a_run_gives_its_weights_to_another_pipeline(pictures: Path, sounds: Path, cli: Cli, tmp_path: Path) -> None:
    options = ("--arch", "resnet9", "--set", "model.options.width=8", "--epochs", "1")
    assert (
        cli("train", "image", pictures, "-o", tmp_path / "image", *options, "--set", "image.color=gray").returncode == 0
    )
    done = cli(
        "train", "audio", sounds, "-o", tmp_path / "audio", *options, "--lr", "1e-12", "--weights", tmp_path / "image"
    )
    assert done.returncode == 0, done.stderr
    assert "tensors loaded" in done.stderr
    image, audio = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("image", "audio"))
    name = "network.features.layer1.0.conv.weight"
    assert name in image, sorted(image)
    torch.testing.assert_close(image[name], audio[name], atol=1e-6, rtol=0)
    assert image["frontend.mean"].flatten()[0] != audio["frontend.mean"].flatten()[0]


def test_a_run_brings_its_network_where_none_is_named(pictures: Path, sounds: Path, cli: Cli, tmp_path: Path) -> None:
    options = ("--set", "model.options.width=8", "--epochs", "1", "-q")
    assert cli("train", "image", pictures, "-o", tmp_path / "image", "--arch", "resnet9", *options).returncode == 0
    start = ("--weights", tmp_path / "image", "--epochs", "1")
    done = cli("train", "audio", sounds, "-o", tmp_path / "audio", *start)
    assert done.returncode == 0, done.stderr
    assert "48 of 52 tensors loaded" in done.stderr
    assert "lr: 0.0005\n" in (tmp_path / "audio" / "config.yaml").read_text()  # as for fresh weights
    again = cli("train", "audio", sounds, "--weights", tmp_path / "audio", "--dry-run", "--json")
    assert json.loads(again.stdout)["recipe"]["training"]["lr"] == 3e-4
    other = cli("train", "audio", sounds, "-o", tmp_path / "other", *start, "--arch", "lenet")
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert "is a resnet9 for image, this is a lenet" in other.stderr


@pytest.mark.slow
def test_a_densenet_for_colours_starts_one_for_spectrograms(
    few_pictures: Path, sounds: Path, cli: Cli, tmp_path: Path
) -> None:
    """The first convolution is fitted to one channel, the front end is the pipeline's own, and what stays is frozen."""
    options = ("--arch", "densenet121", "--epochs", "1", "--precision", "fp32")
    first = cli("train", "image", few_pictures, "-o", tmp_path / "image", *options)
    assert first.returncode == 0, first.stderr
    start = ("--weights", tmp_path / "image", "--freeze", "backbone")
    small = ("--set", "audio.mel.n_mels=32", "--set", "model.options.stem=small")
    done = cli("train", "audio", sounds, "-o", tmp_path / "audio", *options, *start, *small)
    assert done.returncode == 0, done.stderr
    assert "network.classifier.weight, network.classifier.bias start fresh for their shape differs" in done.stderr
    assert "frontend.mean, frontend.std" in done.stderr
    image, audio = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("image", "audio"))
    conv = "network.features.conv0.weight"
    torch.testing.assert_close(audio[conv], image[conv].sum(1, keepdim=True))
    kept = [name for name in audio if name.startswith("network.features.") and name != conv]
    assert all(torch.equal(audio[name], image[name]) for name in kept)
    assert audio["frontend.mean"].numel() == 32


def test_frozen_random_weights_are_warned_of(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", pictures, "-o", tmp_path, "--arch", "lenet", "--epochs", "1", "--freeze", "1", "-q")
    assert done.returncode == 0, done.stderr
    assert "keeps weights that have learned nothing" in done.stderr
    refused = cli(
        "train", "image", pictures, "-o", tmp_path / "run", "--arch", "lenet", "--weights", "none", "--freeze", "3"
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "the network has 2 stages" in refused.stderr


@pytest.mark.parametrize(
    ("weights", "message"),
    [("nowhere.pth", "nowhere.pth"), ("imagenet", "densenet161-8d451a50.pth")],
)
def test_weights_that_cannot_be_had_are_status_2(
    weights: str, message: str, pictures: Path, cli: Cli, tmp_path: Path
) -> None:
    done = cli("train", "image", pictures, "-o", tmp_path / "run", "--arch", "densenet161", "--weights", weights)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "run").exists()
