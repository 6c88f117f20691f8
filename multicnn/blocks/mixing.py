"""Two examples in one, and two classes in one truth: what all kinds of mixing share."""

import math

from torch import Tensor
from torch.nn import functional


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
