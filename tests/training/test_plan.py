"""The time budget: how many epochs fit, and that the schedule always ends at 1."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multicnn.training import plan as plan_module
from multicnn.training.plan import MARGIN, Pace, Plan


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(plan_module, "time", clock)
    return clock


def train(clock: Clock, budget: float, reserve: float, step: float, look: float, full_epoch: int, most: int) -> Plan:
    """A training in which a step takes `step` seconds and a look at the validation part `look`."""
    plan = Plan(epochs=most, steps_per_epoch=full_epoch, fixed=False)
    pace = Pace(clock.now + budget, reserve, most, full_epoch, look=3 * look / step)
    while plan.epoch < plan.epochs:
        done = 0
        while done < plan.steps_per_epoch:
            clock.now += step
            done += 1
            pace.step(plan, done)
        plan.epoch += 1
        clock.now += look
        pace.epoch(plan, done, done * step, look)
    return plan


@settings(deadline=None)
@given(budget=st.floats(30, 1000), step=st.floats(0.01, 1.0), full_epoch=st.integers(1, 500), look=st.floats(0.0, 2.0))
def test_the_time_is_used_and_not_exceeded(budget: float, step: float, full_epoch: int, look: float) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "time", clock)
        start = clock.now
        train(clock, budget, reserve=5.0, step=step, look=look, full_epoch=full_epoch, most=10**6)
        used = clock.now - start
    # the plan is made after a few steps, rounds up to whole steps, and always has one epoch
    slack = 14 * step + 2 * look
    assert used <= budget - 5.0 + slack
    assert used >= (budget - 5.0) * (1 - MARGIN) - slack - 1.2 * (full_epoch * step + look)


def test_no_more_epochs_than_are_worth_it(clock: Clock) -> None:
    assert train(clock, budget=1000, reserve=1, step=0.1, look=0.1, full_epoch=10, most=7).epochs == 7


def test_less_than_an_epoch_still_anneals(clock: Clock) -> None:
    plan = train(clock, budget=20, reserve=2, step=0.5, look=0.1, full_epoch=1000, most=50)
    assert plan.epochs == 1
    assert 20 <= plan.steps_per_epoch <= 40


def test_without_a_budget_nothing_changes(clock: Clock) -> None:
    plan = Plan(epochs=3, steps_per_epoch=10)
    pace = Pace(clock.now + 1, 0.0, 100, 10, look=1)
    for step in range(1, 10):
        clock.now += 5
        pace.step(plan, step)
    assert (plan.epochs, plan.steps_per_epoch) == (3, 10)


def test_a_resumed_run_keeps_the_number_that_was_chosen() -> None:
    assert Plan(**Plan(epochs=9, steps_per_epoch=4, epoch=2, progress=0.2, fixed=False).state()).fixed
