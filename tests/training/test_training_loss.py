"""What a network is trained by: the recipe's loss, the network's own, or what a network makes of it."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from multicnn.architectures import build_image
from multicnn.blocks.backbone import Criterion
from multicnn.blocks.loss import CrossEntropy, Hinge
from multicnn.errors import UsageError
from multicnn.image.architectures.lenet import LeNet
from multicnn.recipe import Training, settle_loss
from tests.training.test_settings import rows, run


@pytest.mark.parametrize("name", ["lenet", "torchvision:squeezenet1_1", "timm:resnet10t"])
def test_by_default_the_loss_is_the_logits_loss(name: str) -> None:
    if name.startswith("timm"):
        pytest.importorskip("timm")
    torch.manual_seed(0)
    network = build_image(name, classes=3, size=(64, 64)).eval()
    x, truth = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 2, 0])
    logits, loss = network.training_loss(x, truth, CrossEntropy())
    assert torch.equal(logits, network(x))
    assert torch.equal(loss, CrossEntropy()(logits, truth))
    assert torch.equal(network.training_loss(x, truth, Hinge())[1], Hinge()(logits, truth))


def test_a_network_may_have_more_to_say_than_its_logits_loss(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[Any] = set()

    def with_a_constant(self: LeNet, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        logits = self(x)
        loss = criterion(logits, truth)
        seen.add((torch.is_autocast_enabled("cpu"), logits.dtype, loss.dtype))
        return logits, loss + 1000

    monkeypatch.setattr(LeNet, "training_loss", with_a_constant)
    outcome = run(pictures, tmp_path / "run", training__precision="bf16")
    assert seen == {(True, torch.bfloat16, torch.float32)}
    assert all(float(row["train_loss"]) > 1000 > float(row["validation_loss"]) for row in rows(outcome))


@pytest.mark.parametrize("loss", ["hinge", "focal", "margin"])
def test_another_loss_trains_and_is_written_into_the_recipe(loss: str, pictures: Path, tmp_path: Path) -> None:
    outcome = run(pictures, tmp_path / "run", training__loss=loss, training__class_balance="weights")
    assert outcome.metrics["test"]["count"] == 18
    written = yaml.safe_load((outcome.run / "config.yaml").read_text())["training"]
    assert (written["loss"], written["label_smoothing"]) == (loss, 0.0)


def test_auto_is_the_networks_own_loss() -> None:
    for own, smoothing in (("cross_entropy", "auto"), ("margin", 0.0)):
        training = Training()
        settle_loss(training, own)
        assert (training.loss, training.label_smoothing) == (own, smoothing)
    training = Training(loss="hinge")
    settle_loss(training, "margin")
    assert training.loss == "hinge"
    with pytest.raises(UsageError, match="no effect on the network's margin loss"):
        settle_loss(Training(label_smoothing=0.1), "margin")
