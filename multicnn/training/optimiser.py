"""What changes the weights."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from multicnn.recipe import Training
from multicnn.text.architectures.embedding import WordVectors
from multicnn.training.muon import Muon

# Zeiler 2012, "ADADELTA", section 4.1.
RHO = 0.95


def build_optimiser(
    model: nn.Module,
    training: Training,
    output: nn.Parameter | None = None,
    shares: Mapping[nn.Parameter, float] | None = None,
) -> torch.optim.Optimizer:
    """The optimiser that a recipe asks for: AdamW, Adam with decay in the gradient (L2), SGD with Nesterov momentum,
    Adadelta or Muon.

    Weights decay; biases and the scales and shifts of normalisations (all that has one axis) do not, since shrinking
    them regularises nothing (He et al. 2019, "Bag of Tricks for Image Classification", section 3.1).

    Args:
        model: whose parameters are learned.
        training: settled, without any `auto` among lr, weight_decay and momentum.
        output: the weight that gives the logits; Muon leaves it to AdamW, as it does word vectors.
        shares: the share of the learning rate that a parameter has, where it is not 1; kept in each group's `share`.
    """
    groups = _groups(model, training, output, shares or {})
    lr = float(training.lr)
    fused = all(p.device.type in ("cpu", "cuda") for group in groups for p in group["params"])
    match training.optimizer:
        case "sgd":
            momentum = float(training.momentum)
            return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=momentum != 0, fused=fused)
        case "adam":
            return torch.optim.Adam(groups, lr=lr, fused=fused)
        case "adadelta":
            return torch.optim.Adadelta(groups, lr=lr, rho=RHO)
        case "muon":
            return Muon(groups, lr=lr, momentum=float(training.momentum))
    return torch.optim.AdamW(groups, lr=lr, fused=fused)


def _groups(
    model: nn.Module, training: Training, output: nn.Parameter | None, shares: Mapping[nn.Parameter, float]
) -> list[dict[str, Any]]:
    """The parameters that learn, those together that are treated alike; weights before biases."""
    vectors = {w for module in model.modules() if isinstance(module, WordVectors) for w in module.parameters()}
    groups: dict[tuple[bool, bool, float], dict[str, Any]] = {}
    for weight in sorted((p for p in model.parameters() if p.requires_grad), key=lambda p: p.ndim <= 1):
        decays = weight.ndim > 1
        hidden = training.optimizer == "muon" and decays and weight is not output and weight not in vectors
        share = shares.get(weight, 1.0) * (1.0 if decays else training.bias_rate)
        group = {"params": [], "weight_decay": float(training.weight_decay) if decays else 0.0, "share": share}
        if training.optimizer == "muon":
            group["orthogonal"] = hidden
        groups.setdefault((decays, hidden, share), group)["params"].append(weight)
    return list(groups.values())


@torch.no_grad()
def limit_rows(weight: nn.Parameter, longest: float) -> None:
    """Shortens each row that is longer than it may be: Kim 2014, section 2.1, after Hinton et al. 2012.

    Args:
        weight: of the layer that gives the logits, [classes, ...]; changed in place.
        longest: a row's largest Euclidean norm.
    """
    weight.renorm_(2, 0, longest)
