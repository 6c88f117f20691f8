"""A batch in pieces: the same gradients, whatever the pieces, and smaller pieces where memory runs out."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from multicnn.blocks.backbone import Criterion, Network
from multicnn.blocks.loss import LOSSES
from multicnn.errors import MulticnnError
from multicnn.image.architectures.lenet import LeNet
from multicnn.recipe import Training
from multicnn.training.micro_batches import MicroBatches
from multicnn.training.passes import Passes
from tests.training.test_settings import rows, run

CLASSES = 3
WEIGHTS = [0.2, 1.0, 3.0]


class Small(Network):
    """Logits, and an opinion of its own about their size; refuses more than `most` examples at a time."""

    def __init__(self, most: int = 100) -> None:
        super().__init__()
        self.most = most
        self.layers = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.layers(x)

    def training_loss(self, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        logits = self(x)
        return logits, criterion(logits, truth) + 0.1 * logits.square().sum(1).mean()


def gradients(
    size: int, *, most: int = 100, mixed: bool = False, scale: float = 0.0, **loss: Any
) -> tuple[list[Tensor], Tensor, Tensor, Training, list[str]]:
    """The gradients of one batch of 8, its loss and right answers, the settings afterwards, and what was told."""
    torch.manual_seed(0)
    network, seen, truth = Small(most), torch.randn(8, 5), torch.tensor([0, 1, 2, 2, 0, 0, 1, 0])
    if mixed:
        truth = torch.rand(8, CLASSES).softmax(1)
    training, told = Training(micro_batch=size), []
    passes = Passes(network, LOSSES[loss.pop("name", "cross_entropy")](**loss), torch.float32)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale or 1.0, enabled=bool(scale))
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0)
    micro = MicroBatches(passes, training, scaler, told.append)
    wrong, right = micro.gradients(optimiser, seen, truth)
    scaler.unscale_(optimiser)
    return [weight.grad for weight in network.parameters()], wrong, right, training, told


@pytest.mark.parametrize("size", [1, 3, 4, 8, 20])
@pytest.mark.parametrize(
    "loss",
    [
        {},
        {"weights": WEIGHTS, "label_smoothing": 0.1},
        {"weights": WEIGHTS, "mixed": True},
        {"mixed": True, "label_smoothing": 0.1},
        {"name": "hinge", "weights": WEIGHTS},
        {"name": "focal"},
        {"weights": WEIGHTS, "scale": 1024.0},
    ],
    ids=str,
)
def test_the_gradient_is_that_of_the_whole_batch(size: int, loss: dict[str, Any]) -> None:
    whole, in_pieces = gradients(0, **loss), gradients(size, **loss)
    torch.testing.assert_close(in_pieces[:3], whole[:3], rtol=1e-5, atol=1e-6)
    assert max(grad.abs().max() for grad in whole[0]) > 0.01


def test_the_whole_batch_is_one_pass_bit_for_bit() -> None:
    torch.manual_seed(0)
    network, seen, truth = Small(), torch.randn(8, 5), torch.tensor([0, 1, 2, 2, 0, 0, 1, 0])
    network.training_loss(seen, truth, LOSSES["cross_entropy"]())[1].backward()
    grads = [weight.grad for weight in network.parameters()]
    assert all(torch.equal(mine, grad) for mine, grad in zip(gradients(0)[0], grads, strict=True))


def test_classes_that_weigh_nothing_teach_nothing_but_do_no_harm() -> None:
    grads, wrong, *_ = gradients(3, weights=[0.0, 0.0, 0.0])
    without, *_ = gradients(3, weights=WEIGHTS)
    assert all(grad.isfinite().all() for grad in grads)
    assert wrong > 0  # the network's own part stays
    assert not torch.allclose(grads[0], without[0])


def test_out_of_memory_halves_the_micro_batch_and_repeats_the_step() -> None:
    whole, halved = gradients(0, weights=WEIGHTS), gradients(0, most=3, weights=WEIGHTS)
    torch.testing.assert_close(halved[:3], whole[:3], rtol=1e-5, atol=1e-6)
    assert halved[3].micro_batch == 2
    assert halved[4] == [
        "8 examples at a time do not fit the memory; going on with 4 (training.micro_batch)",
        "4 examples at a time do not fit the memory; going on with 2 (training.micro_batch)",
    ]


def test_where_not_even_two_examples_fit_it_ends_with_advice() -> None:
    with pytest.raises(MulticnnError, match="not even two examples at a time fit the memory; use a smaller --arch"):
        gradients(0, most=1)
    assert gradients(3, most=2)[3].micro_batch == 2


def test_other_failures_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Small, x: Tensor) -> Tensor:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Small, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        gradients(0)


def test_a_training_in_micro_batches_is_the_training_in_whole_batches(pictures: Path, tmp_path: Path) -> None:
    settings = {"training__clip": 0.5, "training__ema": 0.9, "training__class_balance": "weights"}
    whole = rows(run(pictures, tmp_path / "whole", **settings))
    pieces = rows(run(pictures, tmp_path / "pieces", training__micro_batch=3, **settings))
    for key in ("train_loss", "validation_loss", "train_accuracy", "lr"):
        assert [float(row[key]) for row in pieces] == pytest.approx([float(row[key]) for row in whole], rel=1e-3)


def test_a_training_that_runs_out_of_memory_goes_on_and_says_in_its_recipe_what_fits(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = rows(run(pictures, tmp_path / "whole"))
    forward = LeNet.forward

    def tight(self: LeNet, x: Tensor) -> Tensor:
        if self.training and len(x) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return forward(self, x)

    monkeypatch.setattr(LeNet, "forward", tight)
    outcome = run(pictures, tmp_path / "tight")
    assert [row["validation_loss"][:4] for row in rows(outcome)] == [row["validation_loss"][:4] for row in whole]
    assert capsys.readouterr().err.count("examples at a time do not fit the memory") == 2
    written = yaml.safe_load((outcome.run / "config.yaml").read_text())["training"]
    assert (written["batch_size"], written["micro_batch"]) == (8, 2)
