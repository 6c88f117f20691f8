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
# Steps at the lowest rate, which fill the optimiser's means and show how long a step takes.
WARM_STEPS = 4
# The rates cover so many powers of ten, up to the optimiser's highest; 1 for those that are not named.
DECADES = 6
HIGHEST = {"sgd": 100.0, "adadelta": 1000.0}
SMOOTHING = 0.9
# The test is over when the smoothed loss is so many times its lowest value.
DIVERGED = 4.0


class Rising(Schedule):
    """Grows exponentially, by DECADES powers of ten, up to the highest rate."""

    def factor(self, progress: float) -> float:
        """The share of the highest rate at a share of the test, 0 to 1."""
        return float(10 ** (DECADES * (progress - 1)))


@dataclass(slots=True)
class Curve:
    """What the test saw, a value a step.

    Attributes:
        rates: learning rates, rising.
        losses: of the batches.
        smoothed: their exponential mean, without the bias of its start (Kingma and Ba 2015, section 3).
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smoothed: list[float] = field(default_factory=list)

    def add(self, rate: float, loss: float) -> None:
        """Takes one step in."""
        self.rates.append(rate)
        self.losses.append(loss)
        shares = SMOOTHING ** np.arange(len(self.losses))[::-1]
        self.smoothed.append(float(np.average(self.losses, weights=shares)))

    @property
    def diverged(self) -> bool:
        """Whether the loss has grown so much that higher rates have nothing more to tell."""
        return self.smoothed[-1] > DIVERGED * min(self.smoothed)

    def steepest(self) -> float:
        """The rate at which the smoothed loss falls fastest over the logarithm of the rate, before its lowest point.

        Raises:
            MulticnnError: it never falls.
        """
        lowest = int(np.argmin(self.smoothed))
        if lowest < 2:
            raise MulticnnError("--lr find: the loss falls at no learning rate; check the data, or name a rate by --lr")
        slopes = np.gradient(self.smoothed[: lowest + 1], np.log(self.rates[: lowest + 1]))
        return self.rates[int(np.argmin(slopes))]


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
    rising, steps, curve = Rising(learner.training), STEPS, Curve()
    learner.schedule = rising

    def progress(done: int) -> float:
        return max(0, done - WARM_STEPS) / (steps - 1)

    began = time.monotonic()
    for done, loss in enumerate(_losses(learner, progress)):
        if done == WARM_STEPS - 1 and seconds < math.inf:
            affordable = seconds / (time.monotonic() - began) * WARM_STEPS
            steps = int(np.clip(affordable, FEWEST_STEPS, STEPS))
        if done < WARM_STEPS:
            continue
        if not math.isfinite(loss):
            break
        curve.add(rising.factor(progress(done)) * float(learner.training.lr), loss)
        if curve.diverged or len(curve.rates) == steps:
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
