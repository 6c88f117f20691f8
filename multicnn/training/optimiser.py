"""What changes the weights: the optimiser and its learning rate over time."""

import math
from typing import Any

import torch
from torch import nn

from multicnn.recipe import Training


def build_optimiser(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """AdamW, or SGD with Nesterov momentum.

    Weights decay; biases and the scales and shifts of normalisations (all that has one axis) do not, since shrinking
    them regularises nothing (He et al. 2019, "Bag of Tricks for Image Classification", section 3.1).

    Args:
        model: whose parameters are learned.
        training: settled, without any `auto` among lr, weight_decay and momentum.
    """
    learned = [p for p in model.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    lr = float(training.lr)
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            groups, lr=lr, momentum=float(training.momentum), nesterov=training.momentum != 0, fused=_fused(learned)
        )
    return torch.optim.AdamW(groups, lr=lr, fused=_fused(learned))


def _fused(parameters: list[nn.Parameter]) -> bool:
    """One kernel for all parameters, where the device has it."""
    return all(p.device.type in ("cpu", "cuda") for p in parameters)


def learning_rate_factor(progress: float, warmup: float) -> float:
    """What the learning rate is multiplied by: a linear warm-up, then half a cosine down to 0.

    Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts; the warm-up is that of Goyal et al. 2017.

    Args:
        progress: the share of the training that is done, 0 to 1.
        warmup: the share of the training in which the rate rises.
    """
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))
