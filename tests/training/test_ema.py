"""The running mean of the weights: what goes into it, and that it is what is measured and shipped."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from multicnn.training.ema import Ema
from tests.training.test_settings import rows, run


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_the_mean_is_exponential_with_a_decay_that_grows(decay: float) -> None:
    rng = np.random.default_rng(0)
    model = nn.Linear(3, 2)
    ema = Ema(model, decay)
    expected = model.weight.detach().numpy().astype(np.float64)
    for step in range(1, 41):
        weight = rng.normal(size=(2, 3))
        model.weight.data.copy_(torch.from_numpy(weight))
        ema.update(model)
        keep = min(decay, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * weight
    np.testing.assert_allclose(ema.mean["weight"].numpy(), expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(ema.mean["weight"], model.weight)


def test_what_it_began_with_is_forgotten_soon_however_high_the_decay() -> None:
    model = nn.Linear(3, 2)
    model.weight.data.fill_(1000.0)
    ema = Ema(model, 0.9999)
    model.weight.data.fill_(1.0)
    for _ in range(20):
        ema.update(model)
    torch.testing.assert_close(ema.mean["weight"], model.weight.data, rtol=1e-3, atol=0)


def test_statistics_are_averaged_and_counts_are_copied() -> None:
    model = nn.BatchNorm1d(2)
    ema = Ema(model, 0.9)
    model.train()
    model(torch.randn(8, 2) + 5)
    ema.update(model)
    torch.testing.assert_close(ema.mean["running_mean"], model.running_mean * 9 / 11)
    assert ema.mean["num_batches_tracked"] == 1


def test_the_mean_is_what_is_measured_and_shipped(pictures: Path, tmp_path: Path) -> None:
    settings = {"training__schedule": "constant", "training__epochs": 1, "model__arch": "resnet9"}
    mean = run(pictures, tmp_path / "mean", training__ema=0.999, **settings)
    own = run(pictures, tmp_path / "own", **settings)
    last = load_file(mean.run / "checkpoints" / "last.safetensors")
    without = load_file(own.run / "checkpoints" / "last.safetensors")
    shipped = load_file(mean.run / "model" / "weights.safetensors")
    assert all(torch.equal(shipped[name], last[f"ema.{name}"]) for name in shipped)
    learned = {name: tensor for name, tensor in last.items() if name.startswith("model.")}
    assert all(torch.equal(tensor, without[name]) for name, tensor in learned.items())  # the mean changes no step
    assert any(not torch.equal(last[f"ema.{name}"], last[f"model.{name}"]) for name in shipped)
    measured = mean.metrics["validation"]["log_loss"]
    assert measured == pytest.approx(float(rows(mean)[0]["validation_loss"]), rel=1e-3)
    assert measured == pytest.approx(mean.metrics["last_epoch"]["validation"]["log_loss"], rel=1e-3)
    assert measured != pytest.approx(own.metrics["validation"]["log_loss"], rel=1e-2)
