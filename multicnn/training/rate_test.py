"""The learning rate range test: how the loss answers to a rate that grows."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from multicnn.errors import MulticnnError
from multicnn.recipe import Training
from multicnn.training.loop import Learner
from multicnn.training.schedule import Schedule

STEPS = 100
FEWEST_STEPS = 30
# Steps at the lowest rate: they fill the optimiser's means, and say where the loss begins and how long a step takes.
WARM_STEPS = 10
# The rates cover so many powers of ten, up to the optimiser's highest; 1 for those that are not named.
DECADES = 5
HIGHEST = {"sgd": 10.0, "adadelta": 100.0}
SMOOTHING = 0.9
# The test is over when the smoothed loss is so many times its lowest value.
DIVERGED = 4.0
# Of the rate at which the smoothed loss is lowest. In six cases (ResNet-9 and LeNet on digits and CIFAR-10, TextCNN on
# docstrings; AdamW and SGD) a quarter was within a factor of 3 of the rate with the best validation loss. A tenth was
# up to 9 times too low, and the steepest descent was lost in the noise of the texts' small batches.
TAKEN = 0.25


class Rising(Schedule):
    """Grows exponentially, by DECADES powers of ten, up to the highest rate."""

    def factor(self, progress: float) -> float:
        """The share of the highest rate at a share of the test, 0 to 1."""
        return float(10 ** (DECADES * (progress - 1)))


@dataclass(slots=True)
class Curve:
    """What the test saw, a value a step.

    Attributes:
        start: the mean loss at the lowest rate.
        rates: learning rates, rising.
        losses: of the batches.
        smoothed: their exponential mean, from `start` on.
    """

    start: float
    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smoothed: list[float] = field(default_factory=list)

    def add(self, rate: float, loss: float) -> None:
        """Takes one step in."""
        before = self.smoothed[-1] if self.smoothed else self.start
        self.rates.append(rate)
        self.losses.append(loss)
        self.smoothed.append(SMOOTHING * before + (1 - SMOOTHING) * loss)

    @property
    def diverged(self) -> bool:
        """Whether the loss has grown so much that higher rates have nothing more to tell."""
        return self.smoothed[-1] > DIVERGED * min(self.smoothed)

    def found(self) -> float:
        """The rate to train with: a share of that at which the smoothed loss is lowest.

        Raises:
            MulticnnError: no loss is below that of the start, or there was one step only.
        """
        lowest = min(self.smoothed, default=math.inf)
        if lowest >= self.start or len(self.rates) < 2:
            raise MulticnnError("--lr find: the loss falls at no learning rate; check the data, or name a rate by --lr")
        return TAKEN * self.rates[self.smoothed.index(lowest)]


def settings(training: Training) -> dict[str, Any]:
    """What the test changes in a settled training section."""
    highest = HIGHEST.get(training.optimizer, 1.0)
    return {"lr": highest, "schedule": "constant", "warmup": 0.0, "ema": 0.0, "unfreeze": 0.0}


def range_test(learner: Learner, seconds: float = math.inf) -> Curve:
    """Takes steps at rates that grow exponentially, until the loss diverges.

    Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3; there the rate grows linearly.

    Args:
        learner: with the test's `settings`; it has learned nothing worth keeping afterwards.
        seconds: that the test may take; it has fewer steps if they are short.
    """
    rising, steps = Rising(learner.training), STEPS
    learner.schedule = rising

    def progress(done: int) -> float:
        return max(0, done - WARM_STEPS) / (steps - 1)

    began, losses = time.monotonic(), _losses(learner, progress)
    curve = Curve(float(np.mean([next(losses) for _ in range(WARM_STEPS)])))
    if seconds < math.inf:
        steps = int(np.clip(seconds / (time.monotonic() - began) * WARM_STEPS, FEWEST_STEPS, STEPS))
    for number, loss in zip(range(steps), losses, strict=False):
        if not math.isfinite(loss):
            break
        curve.add(float(learner.training.lr) * rising.factor(number / (steps - 1)), loss)
        if curve.diverged:
            break
    return curve


def _losses(learner: Learner, progress: Callable[[int], float]) -> Iterator[float]:
    """The loss of each step, epoch after epoch; `progress` says how far a step is through the test."""
    done = 0
    for number in count():
        rng, generator = learner.begin(number, 0.0)
        for inputs, truth, turn in learner.batches(number, rng):
            yield learner.step(inputs, truth, generator, progress(done), turn)[0].item()
            done += 1
