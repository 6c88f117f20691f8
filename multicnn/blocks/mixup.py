"""mixup: two examples in one, and two classes in one truth."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Mixup(nn.Module):
    """Lays each example of a batch over another one, by a share of its own from Beta(alpha, alpha).

    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization", section 2.

    Args:
        alpha: 0 for none; 1 is uniform, below it most shares are near 0 or 1.
    """

    def __init__(self, alpha: float = 0.0) -> None:
        super().__init__()
        if alpha < 0:
            raise ValueError(f"alpha is 0 or more, not {alpha}")
        self.alpha = alpha

    @torch.no_grad()
    def forward(self, x: Tensor, truth: Tensor, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mixes a batch with itself in another order.

        Args:
            x: examples, float [batch, ...].
            truth: classes, [batch].
            classes: how many there are.
            generator: where the chances come from.

        Returns:
            The mixture, and what each class has of each example, [batch, classes]; both as they were for alpha 0.
        """
        if not self.alpha:
            return x, truth
        partner = torch.randperm(len(x), generator=generator, device=generator.device).to(x.device)
        chance = torch.rand(2, len(x), generator=generator, device=generator.device).to(x.device)
        share = symmetric_beta(self.alpha, chance[0], chance[1])
        return mixed(x, truth, classes, partner, share.reshape(-1, *[1] * (x.ndim - 1)))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}"


def mixed(x: Tensor, truth: Tensor, classes: int, partner: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Mixes each example with its partner, and their classes likewise.

    Args:
        x: examples, float [batch, ...].
        truth: classes, [batch].
        classes: how many there are.
        partner: the place of each one's partner, [batch].
        share: how much of each value is the example's own, of as many dimensions as `x`.

    Returns:
        The mixture, and what each class has of each example, [batch, classes], by the mean share.
    """
    total = share.flatten(1).mean(1, keepdim=True)
    return x[partner].lerp(x, share), mix_truth(truth, partner, total, classes)


def mix_truth(truth: Tensor, partner: Tensor, share: Tensor, classes: int) -> Tensor:
    """What each class has of each mixed example, [batch, classes].

    Args:
        truth: classes, [batch].
        partner: the place of the example that each is mixed with, [batch].
        share: what each keeps of itself, [batch, 1].
        classes: how many there are.
    """
    own = functional.one_hot(truth, classes).float()
    return own[partner].lerp(own, share)


def symmetric_beta(alpha: float, first: Tensor, second: Tensor) -> Tensor:
    """Turns two chances into one from Beta(alpha, alpha).

    Bailey 1994, "Polar Generation of Random Variates with the t-Distribution": with U and V uniform,
    T = sqrt(U^(-1 / alpha) - 1) cos(2 pi V) is such that 1/2 + T / (2 sqrt(1 + T^2)) follows it. Written by an
    angle, it has no infinity over infinity.

    Args:
        alpha: above 0; 1 is uniform, below it most shares are near 0 or 1.
        first: chances in [0, 1).
        second: likewise, of the same shape.
    """
    t = ((1 - first) ** (-1 / alpha) - 1).sqrt() * (2 * math.pi * second).cos()
    return 0.5 + 0.5 * t.atan().sin()
