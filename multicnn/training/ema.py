"""A running mean of the weights, which is often better than the last of them."""

import torch
from torch import nn


class Ema:
    """Exponential moving average of a model's parameters and buffers.

    Polyak and Juditsky 1992. The first steps count for more: at step n the decay is at most (1 + n) / (10 + n), so
    that a short training is not held back by where it began.

    Args:
        model: whose weights are averaged.
        decay: how much of the mean stays at each step, below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.mean = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Takes one step's weights in."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                self.mean[name].lerp_(tensor, 1 - keep)
            else:  # counts, such as the batches that a batch normalisation saw
                self.mean[name].copy_(tensor)
