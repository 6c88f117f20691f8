"""How long to train: as many epochs as wished, or as many as the time allows."""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

# Steps that warm caches and compile kernels say nothing about the pace of the others.
UNMEASURED_STEPS = 3
MEASURED_STEPS = 8
MEASURED_SECONDS = 3.0
# The forward pass alone is about a third of a step.
FORWARD_SHARE = 1 / 3
# Of the time that is left, kept back for a machine that slows down.
MARGIN = 0.03


@dataclass(slots=True)
class Plan:
    """How much of the training is done and how much is to come; kept in the checkpoint.

    Attributes:
        epochs: how many epochs there will be in all.
        steps_per_epoch: optimiser steps in each of them; fewer than the data has where time is short.
        epoch: epochs that are done.
        progress: the share of the learning-rate schedule that is done, 0 to 1.
        fixed: no longer changed by the pace (nothing is where there is no time budget).
    """

    epochs: int
    steps_per_epoch: int
    epoch: int = 0
    progress: float = 0.0
    fixed: bool = True

    @property
    def steps_left(self) -> int:
        """Optimiser steps from the start of the coming epoch to the end."""
        return max(1, (self.epochs - self.epoch) * self.steps_per_epoch)

    def state(self) -> dict[str, Any]:
        """For the checkpoint. A resumed run keeps the number of epochs that was chosen."""
        return {**asdict(self), "fixed": True}


class Pace:
    """Fits a plan into the time that is left, from the steps that were measured.

    Args:
        deadline: when everything has to be written, on the clock of `time.monotonic`.
        reserve: seconds that export and final measurement will take.
        most_epochs: more are not worth it, however much time there is.
        full_epoch: the steps that take every training example once.
        look: how many steps' worth of examples the validation part has.
    """

    def __init__(self, deadline: float, reserve: float, most_epochs: int, full_epoch: int, look: float) -> None:
        self.deadline = deadline
        self.reserve = reserve
        self.most_epochs = most_epochs
        self.full_epoch = full_epoch
        self.look = look
        self.step_seconds = 0.0
        self._steps = 0
        self._started = 0.0

    def step(self, plan: Plan, done_in_epoch: int) -> None:
        """Notes that a step is done; fits the plan as soon as enough of the first ones were timed.

        Args:
            plan: changed in place, once.
            done_in_epoch: steps done in the running epoch.
        """
        self._steps += 1
        if self._steps == UNMEASURED_STEPS:
            self._started = time.monotonic()
        timed = self._steps - UNMEASURED_STEPS
        if plan.fixed or timed <= 0 or self.step_seconds:
            return
        seconds = time.monotonic() - self._started
        if timed >= MEASURED_STEPS or seconds >= MEASURED_SECONDS:
            self.step_seconds = seconds / timed
            self.fit(
                plan, validation_seconds=self.step_seconds * FORWARD_SHARE * self.look, done_in_epoch=done_in_epoch
            )

    def epoch(self, plan: Plan, steps: int, train_seconds: float, validation_seconds: float) -> None:
        """After an epoch, fits what is left of the plan to the pace as it turned out."""
        if not plan.fixed and plan.epoch < plan.epochs:
            self.step_seconds = train_seconds / steps
            self.fit(plan, validation_seconds, done_in_epoch=0)

    def fit(self, plan: Plan, validation_seconds: float, done_in_epoch: int) -> None:
        """Chooses how many steps are still to come, in how many epochs.

        Args:
            plan: changed in place; the epochs that are done stay.
            validation_seconds: what the look at the validation part costs after each epoch.
            done_in_epoch: steps of the running epoch that are done.
        """
        left = (self.deadline - time.monotonic() - self.reserve) * (1 - MARGIN)
        per_epoch = self.step_seconds * self.full_epoch + validation_seconds
        affordable = left / per_epoch  # in whole epochs and a fraction of one
        most = self.most_epochs - plan.epoch
        epochs = min(most, max(1, math.ceil(affordable - 0.1)))
        steps = (
            self.full_epoch
            if epochs == most
            else math.ceil(((left - epochs * validation_seconds) / self.step_seconds + done_in_epoch) / epochs)
        )
        plan.epochs = plan.epoch + epochs
        plan.steps_per_epoch = max(1, done_in_epoch, min(self.full_epoch, steps))
