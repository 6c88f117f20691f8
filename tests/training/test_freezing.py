"""Stages: frozen, unfrozen one by one, and with learning rates of their own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from multicnn.architectures import build_image, build_text
from multicnn.blocks.backbone import Network
from multicnn.errors import UsageError
from multicnn.recipe import Training
from multicnn.training.freezing import Freezing, check_freeze, rate_shares
from multicnn.training.optimiser import build_optimiser
from multicnn.training.schedule import Schedule
from multicnn.training.stages import output_layer, stages
from tests.training.test_settings import run

# DenseNet-121: a convolution, four dense blocks and the three transitions between them; each with its normalisation.
STAGES = {"lenet": 2, "resnet9": 4, "densenet121": 8, "linear": 0, "torchvision:resnet18": 5, "conv3-8 relu fc": 1}


@pytest.mark.parametrize("name", STAGES)
def test_stages_and_head_have_all_weights_once(name: str) -> None:
    network = build_image(name, classes=3, size=(32, 32))
    found = stages(network)
    inside = [id(w) for stage in found for module in stage for w in module.parameters()]
    head = [id(w) for w in network.head.parameters()]
    assert len(found) == STAGES[name]
    assert sorted(inside + head) == sorted(id(w) for w in network.parameters())
    assert output_layer(network).shape[0] == 3


def test_word_vectors_are_the_first_stage_of_a_network_for_texts() -> None:
    network = build_text("textcnn", classes=2, vocabulary_size=9)
    first = [tuple(w.shape) for module in stages(network)[0] for w in module.parameters()]
    assert first[0][0] == 9


def learning(network: Network) -> list[bool]:
    """Whether each stage learns, and its batch normalisations look at the batch."""
    found = []
    for stage in stages(network):
        learns = {w.requires_grad for module in stage for w in module.parameters()}
        norms = [m for module in stage for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        learns |= {norm.training for norm in norms}
        assert len(learns) == 1
        found.append(learns.pop())
    assert all(w.requires_grad for w in network.head.parameters())
    return found


@pytest.mark.parametrize(
    ("settings", "moment", "expected"),
    [
        ({"freeze": 0}, (0.0, 0), [True] * 4),
        ({"freeze": 3}, (0.9, 9), [False, False, False, True]),
        ({"freeze": "backbone"}, (0.9, 9), [False] * 4),
        ({"unfreeze": 2}, (0.1, 1), [False] * 4),
        ({"unfreeze": 2}, (0.4, 4), [False, False, True, True]),
        ({"unfreeze": 0.25}, (0.5, 1), [False, False, True, True]),
        ({"unfreeze": 1, "freeze": 2}, (0.1, 1), [False, True, True, True]),
        ({"unfreeze": 1}, (1.0, 99), [True] * 4),
    ],
)
def test_stages_learn_from_the_head_down(
    settings: dict[str, Any], moment: tuple[float, int], expected: list[bool]
) -> None:
    network = build_image("resnet9", classes=3, size=(32, 32), options={"width": 8})
    freezing = Freezing(network, Training(**settings))
    network.train()
    freezing.set(*moment)
    assert learning(network) == expected


def test_more_stages_than_there_are_cannot_be_frozen() -> None:
    with pytest.raises(UsageError, match=r"--freeze\) 3: the network has 2 stages below"):
        check_freeze(build_image("lenet", classes=3, size=(32, 32)), Training(freeze=3))


def test_each_stage_has_a_share_of_the_rate_above_it() -> None:
    network = build_image("lenet", classes=3, size=(32, 32))
    training = Training(lr=0.1, weight_decay=0.0, warmup=0.0, layer_decay=0.5)
    optimiser = build_optimiser(network, training, shares=rate_shares(network, 0.5))
    Schedule(training).set(optimiser, 0.0)
    rates = {w: group["lr"] for group in optimiser.param_groups for w in group["params"]}
    parts = [*([w for module in stage for w in module.parameters()] for stage in stages(network))]
    parts.append(list(network.head.parameters()))
    for part, rate in zip(parts, (0.025, 0.05, 0.1), strict=True):
        assert {rates[w] for w in part} == {rate}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "weights.safetensors")


@pytest.fixture(scope="module")
def earlier(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to start from, of a network with batch normalisation."""
    folder = tmp_path_factory.mktemp("earlier") / "run"
    return run(pictures, folder, model__arch="resnet9", model__options={"width": 8}, training__epochs=1).run


@pytest.mark.parametrize("settings", [{}, {"training__ema": 0.9}, {"training__optimizer": "muon"}], ids=str)
def test_a_frozen_backbone_stays_to_the_last_bit(
    settings: dict[str, Any], pictures: Path, earlier: Path, tmp_path: Path
) -> None:
    same = {"model__arch": "resnet9", "model__options": {"width": 8}, "model__weights": str(earlier)}
    run(pictures, tmp_path / "run", **same, training__freeze="backbone", training__weight_decay=0.1, **settings)
    before, after = weights(earlier), weights(tmp_path / "run")
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("network.features."))
    assert not torch.equal(before["network.head.linear.weight"], after["network.head.linear.weight"])


def test_what_was_unfrozen_learns(pictures: Path, earlier: Path, tmp_path: Path) -> None:
    same = {"model__arch": "resnet9", "model__options": {"width": 8}, "model__weights": str(earlier)}
    run(pictures, tmp_path / "run", **same, training__epochs=3, training__unfreeze=2, training__layer_decay=0.5)
    last = load_file(tmp_path / "run" / "checkpoints" / "last.safetensors")
    before = weights(earlier)
    assert torch.equal(before["network.features.prep.conv.weight"], last["model.network.features.prep.conv.weight"])
    changed = "network.features.layer3.0.conv.weight"
    assert not torch.equal(before[changed], last[f"model.{changed}"])
