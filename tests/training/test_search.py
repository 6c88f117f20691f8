"""`--batch-size auto`: the largest batch that fits, and the learning rate that goes with it."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from multicnn.image.architectures.lenet import LeNet
from multicnn.training.session import Session
from tests.cli.test_train import QUICK
from tests.conftest import Cli
from tests.training.test_settings import run


@pytest.fixture
def small_gpu(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device on which no more than so many examples fit; batches are fitted to it as they are on a GPU."""
    forward, most = LeNet.forward, [10**6]

    def tight(self: LeNet, x: Tensor) -> Tensor:
        if self.training and len(x) > most[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x)

    monkeypatch.setattr(LeNet, "forward", tight)
    monkeypatch.setattr("multicnn.training.session.FOR_LARGE_BATCHES", ("cpu",))
    monkeypatch.setattr("multicnn.training.search.STEPS_PER_EPOCH", 1)
    monkeypatch.setattr(Session, "go", lambda *_: {})  # what is found is written before the training
    return most


def settled(pictures: Path, folder: Path, batch_size: Any = "auto", **settings: Any) -> dict[str, Any]:
    """What the training section of a run's recipe came to; 65 pictures to train on, of which usually 8 are a batch."""
    outcome = run(pictures, folder, training__batch_size=batch_size, training__epochs=1, **settings)
    training: dict[str, Any] = yaml.safe_load((outcome.run / "config.yaml").read_text())["training"]
    return training


@pytest.mark.parametrize(
    ("fits", "batch", "micro"), [(1000, 64, 0), (64, 64, 0), (63, 32, 0), (20, 16, 0), (8, 8, 0), (7, 8, 4), (2, 8, 2)]
)
def test_the_largest_power_of_two_that_fits(
    fits: int, batch: int, micro: int, small_gpu: list[int], pictures: Path, tmp_path: Path
) -> None:
    small_gpu[0] = fits
    training = settled(pictures, tmp_path / "run")
    assert (training["batch_size"], training["micro_batch"]) == (batch, micro)


@pytest.mark.parametrize(("optimizer", "growth"), [("adamw", 8**0.5), ("muon", 8**0.5), ("sgd", 8), ("adadelta", 1)])
def test_the_learning_rate_follows_the_batch(
    optimizer: str, growth: float, small_gpu: list[int], pictures: Path, tmp_path: Path
) -> None:
    usual = settled(pictures, tmp_path / "usual", "usual", training__optimizer=optimizer)
    auto = settled(pictures, tmp_path / "auto", training__optimizer=optimizer)
    assert (usual["batch_size"], auto["batch_size"]) == (8, 64)
    assert auto["lr"] == pytest.approx(usual["lr"] * growth)
    named = settled(pictures, tmp_path / "named", training__optimizer=optimizer, training__lr=0.01)
    assert named["lr"] == 0.01


def test_the_largest_batch_and_the_rate_for_it_are_found_together(
    small_gpu: list[int], pictures: Path, tmp_path: Path
) -> None:
    small_gpu[0] = 20
    training = settled(pictures, tmp_path / "run", training__lr="find")
    assert training["batch_size"] == 16
    assert 0 < training["lr"] < 1


def test_augmentation_that_does_not_fit_makes_the_batch_smaller(
    small_gpu: list[int], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from multicnn.image.pipeline import Augmenting

    inputs = Augmenting.inputs

    def tight(self: Augmenting, x: Tensor, *rest: Any) -> Tensor:
        if len(x) > 32:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return inputs(self, x, *rest)

    monkeypatch.setattr(Augmenting, "inputs", tight)
    assert settled(pictures, tmp_path / "run")["batch_size"] == 32


def test_an_epoch_keeps_enough_steps(
    small_gpu: list[int], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multicnn.training.search.STEPS_PER_EPOCH", 4)
    assert settled(pictures, tmp_path / "run")["batch_size"] == 16


def test_on_a_cpu_auto_is_the_usual_size(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    options = (*QUICK["image"][:2], "--epochs", "1", "--device", "cpu")
    for name, size in (("auto", ("--batch-size", "auto")), ("usual", ())):
        done = cli("train", "image", pictures, "-o", tmp_path / name, *options, *size)
        assert done.returncode == 0, done.stderr
    sizes = {
        name: yaml.safe_load((tmp_path / name / "config.yaml").read_text())["training"] for name in ("auto", "usual")
    }
    assert (sizes["auto"]["batch_size"], sizes["auto"]["lr"]) == (sizes["usual"]["batch_size"], sizes["usual"]["lr"])
    assert sizes["usual"]["batch_size"] == 8
    refused = cli("train", "image", pictures, "-o", tmp_path / "other", "--batch-size", "much")
    assert refused.returncode == 2
    assert "training.batch_size" in refused.stderr
