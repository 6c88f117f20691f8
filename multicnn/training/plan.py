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
# A plan is made longer in the middle of an epoch only where so much more can be done.
WORTH_MORE = 1.1


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
        reserve: seconds that the end will take: export, measurement of what was exported, writing.
        closing_looks: what else the end takes, in looks at the validation part: a last answer to each example held out.
        most_epochs: more are not worth it, however much time there is.
        full_epoch: the steps that take every training example once.
        look: how many steps' worth of examples the validation part has.
    """

    def __init__(
        self,
        deadline: float,
        reserve: float,
        most_epochs: int,
        full_epoch: int,
        look: float,
        closing_looks: float = 0.0,
    ) -> None:
        self.deadline = deadline
        self.reserve = reserve
        self.closing_looks = closing_looks
        self.most_epochs = most_epochs
        self.full_epoch = full_epoch
        self.look = look
        self._look_seconds: float | None = None  # once it was measured
        self._fitted = False
        self._steps = 0
        self._timed = 0
        self._since = time.monotonic()

    def end_seconds(self, step_seconds: float = 0.0) -> float:
        """What the end will take; before a look at the validation part was measured, a step tells how long that is."""
        return self.reserve + self._seconds(step_seconds, 0, self.closing_looks)

    def step(self, plan: Plan, done_in_epoch: int) -> bool:
        """Notes that a step is done. Fits the plan as soon as enough of the first ones were timed, and anew where what
        is left of it would take longer than the time that is left, or where that time holds much more.

        Args:
            plan: changed in place.
            done_in_epoch: steps done in the running epoch.

        Returns:
            Whether the plan has changed.
        """
        self._steps += 1
        self._timed += 1
        if plan.fixed:
            return False
        seconds = time.monotonic() - self._since
        step_seconds = seconds / self._timed
        measured = self._steps > UNMEASURED_STEPS and (self._timed >= MEASURED_STEPS or seconds >= MEASURED_SECONDS)
        if measured:
            to_come = self._seconds(step_seconds, plan.steps_left - done_in_epoch, plan.epochs - plan.epoch)
            late = to_come > self._left(step_seconds)
            sure = seconds >= MEASURED_SECONDS  # a few steps fetched in advance would promise too much
            changes = not self._fitted or late or (sure and self._holds_more(plan, step_seconds, done_in_epoch))
        elif step_seconds * (UNMEASURED_STEPS + MEASURED_STEPS) < MARGIN * (self.deadline - time.monotonic()):
            changes = False  # there is time to see how long the others take
        else:
            later = 0 if self._steps == 1 else 1  # the very first step says nothing of the others
            changes = self._seconds(step_seconds, later, later) > self._left(step_seconds)
        if self._steps <= UNMEASURED_STEPS:
            self._measure_from_here()
        if changes:
            self._fitted = self._fitted or measured
            self.fit(plan, step_seconds, done_in_epoch)
        return changes

    def epoch(self, plan: Plan, steps: int, train_seconds: float, look_seconds: float) -> None:
        """After an epoch, fits what is left of the plan to the pace as it turned out.

        Args:
            plan: changed in place.
            steps: that the epoch had.
            train_seconds: that they took.
            look_seconds: that the look at the validation part took.
        """
        self._look_seconds = look_seconds
        self._measure_from_here()
        if plan.fixed or plan.epoch >= plan.epochs:
            return
        step_seconds = train_seconds / steps
        if self._seconds(step_seconds, 1, 1) > self._left(step_seconds):
            plan.epochs = plan.epoch  # not even a step and a look at it are left
        else:
            self.fit(plan, step_seconds, done_in_epoch=0)

    def fit(self, plan: Plan, step_seconds: float, done_in_epoch: int) -> None:
        """Chooses how many steps are still to come, in how many epochs.

        Args:
            plan: changed in place; the epochs that are done stay.
            step_seconds: that a step takes.
            done_in_epoch: steps of the running epoch that are done.
        """
        epochs, steps = self._affordable(plan, step_seconds, done_in_epoch)
        plan.epochs = plan.epoch + epochs
        plan.steps_per_epoch = steps

    def _affordable(self, plan: Plan, step_seconds: float, done_in_epoch: int) -> tuple[int, int]:
        """The epochs that the time holds, the running one among them, and the steps of each; arguments as for `fit`."""
        left = self._left(step_seconds) * (1 - MARGIN) + done_in_epoch * step_seconds  # as if the epoch began here
        epoch_seconds = self._seconds(step_seconds, self.full_epoch, 1)
        epochs = min(self.most_epochs - plan.epoch, max(1, math.ceil(left / epoch_seconds - 0.1)))
        whole = math.floor if epochs == 1 else math.ceil
        steps = whole((left - self._seconds(step_seconds, 0, epochs)) / step_seconds / epochs)
        return epochs, max(1, done_in_epoch, min(self.full_epoch, steps))

    def _holds_more(self, plan: Plan, step_seconds: float, done_in_epoch: int) -> bool:
        """Whether the time that is left holds many more steps than are planned; arguments as for `fit`."""
        epochs, steps = self._affordable(plan, step_seconds, done_in_epoch)
        return epochs * steps > WORTH_MORE * plan.steps_left

    def _left(self, step_seconds: float) -> float:
        """Seconds for training."""
        return self.deadline - time.monotonic() - self.end_seconds(step_seconds)

    def _seconds(self, step_seconds: float, steps: int, looks: float) -> float:
        """What so many steps, and looks at the validation part, take."""
        look = self._look_seconds
        return steps * step_seconds + looks * (step_seconds * FORWARD_SHARE * self.look if look is None else look)

    def _measure_from_here(self) -> None:
        self._timed, self._since = 0, time.monotonic()
