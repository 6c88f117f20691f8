"""The learning rate over a training, as a share of the highest one."""

import math
from collections.abc import Sequence

import torch

from multicnn.recipe import Training

# One cycle: where it starts and ends, where the training ends, and how far momentum falls while the rate is high.
CYCLE_FOOT = 0.1
LAST = 1e-3
MOMENTUM_DROP = 0.1


class Schedule:
    """What the learning rate is multiplied by.

    It follows from the share of the training that is done, the number of the epoch and the losses on the validation
    part, all of which a checkpoint has; so it keeps nothing of its own over a stop.

    Args:
        training: settled.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        self.epoch = 0
        self.drops = 0

    def begin_epoch(self, epoch: int, losses: Sequence[float]) -> None:
        """Takes note of what came before an epoch.

        Args:
            epoch: its number, from 0.
            losses: the validation loss of each epoch before it.
        """
        self.epoch = epoch
        if self.training.schedule == "plateau":
            self.drops = plateaus(losses, int(self.training.patience))

    def factor(self, progress: float) -> float:
        """The share of the highest rate at a share of the training, 0 to 1."""
        training = self.training
        warmup = float(training.warmup)
        if training.schedule == "onecycle":
            return one_cycle(progress, warmup)
        rise = progress / warmup if progress < warmup else 1.0
        match training.schedule:
            case "cosine":
                return rise if rise < 1 else cosine(progress, warmup)
            case "linear":
                return min(rise, max(0.0, (1 - progress) / (1 - warmup)))
            case "step":
                drops = elapsed(float(training.step_size), progress, self.epoch)
                return rise * float(training.gamma) ** drops
            case "plateau":
                return rise * float(training.gamma) ** self.drops
        return rise

    def set(self, optimiser: torch.optim.Optimizer, progress: float) -> None:
        """Gives an optimiser its learning rates, and its momentum where one cycle moves that too."""
        factor = self.factor(progress)
        for group in optimiser.param_groups:
            group["lr"] = float(self.training.lr) * factor * group["share"]
        if self.training.schedule == "onecycle":
            self._set_momentum(optimiser, MOMENTUM_DROP * max(0.0, (factor - CYCLE_FOOT) / (1 - CYCLE_FOOT)))

    def _set_momentum(self, optimiser: torch.optim.Optimizer, drop: float) -> None:
        """Momentum falls while the rate rises, and rises while it falls; for Adam's kin it is the first beta."""
        for group in optimiser.param_groups:
            if "momentum" in group:
                group["momentum"] = max(0.0, float(self.training.momentum) - drop)
            if "betas" in group:
                group["betas"] = (optimiser.defaults["betas"][0] - drop, group["betas"][1])


def cosine(progress: float, warmup: float) -> float:
    """Half a cosine down to 0: Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts.

    Args:
        progress: the share of the training that is done, from `warmup` to 1.
        warmup: where it begins.
    """
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))


def one_cycle(progress: float, rise: float) -> float:
    """Straight up from a tenth, straight down to it again, then to a thousandth.

    Smith 2018, "A disciplined approach to neural network hyper-parameters: Part 1", section 4.2. The idea: high rates
    in the middle keep the network out of sharp minima, the low ones at the end let it settle in a flat one.

    Args:
        progress: the share of the training that is done, 0 to 1.
        rise: the share in which the rate rises, and again the share in which it falls to where it was; up to 0.5.
    """
    if progress < 2 * rise:
        return 1 - (1 - CYCLE_FOOT) * abs(progress - rise) / rise
    if progress >= 1:
        return LAST
    return CYCLE_FOOT + (LAST - CYCLE_FOOT) * (progress - 2 * rise) / (1 - 2 * rise)


def plateaus(losses: Sequence[float], patience: int) -> int:
    """How often so many epochs in a row brought no lower loss; each time the count begins anew.

    Args:
        losses: on the validation part, one an epoch.
        patience: how many epochs are waited for.
    """
    best, waited, count = math.inf, 0, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited >= patience:
            waited, count = 0, count + 1
    return count


def elapsed(every: float, progress: float, epoch: int) -> int:
    """How many periods are over.

    Args:
        every: a period in epochs from 1 on, as a share of the training below.
        progress: the share of the training that is done.
        epoch: how many epochs are done.
    """
    return int(progress / every + 1e-9) if every < 1 else int(epoch // every)
