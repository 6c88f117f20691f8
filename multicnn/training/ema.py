"""A running mean of the weights, which is often better than the last of them."""

import torch
from torch import nn


class Ema:
    """Exponential moving average of a model's parameters and buffers.

    Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", section 8, after the plain average
    of Polyak and Juditsky 1992. At step n the decay is at most (1 + n) / (10 + n), as in TensorFlow's
    `tf.train.ExponentialMovingAverage` with `num_updates`: the mean then forgets the random weights that it began with
    within twenty steps, so that it needs no correction for them, and reaches over a tenth of a short training.

    The means and deviations of batch normalisations are averaged like the weights that they belong to; they are not
    measured anew. What is evaluated, chosen and shipped is the mean; what goes on learning are the weights.

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
