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


def train(
    clock: Clock,
    budget: float,
    reserve: float,
    step: float,
    look: float,
    full_epoch: int,
    most: int,
    slows_down: float = 1.0,
    slow_steps: int | None = None,
) -> Plan:
    """A training in which a step takes `step` seconds, so many times as long after half of the budget, and a look at
    the validation part `look`. After `slow_steps`, a step takes a quarter of that.
    """
    plan = Plan(epochs=most, steps_per_epoch=full_epoch, fixed=False)
    half, steps = clock.now + budget / 2, 0
    pace = Pace(clock.now + budget, reserve, most, full_epoch, look=3 * look / step)
    while plan.epoch < plan.epochs:
        done, began = 0, clock.now
        while done < plan.steps_per_epoch:
            steps += 1
            speed = 4 if slow_steps is not None and steps > slow_steps else 1
            clock.now += step / speed * (slows_down if clock.now > half else 1.0)
            done += 1
            pace.step(plan, done)
        trained = clock.now - began
        plan.epoch += 1
        clock.now += look
        pace.epoch(plan, done, trained, look)
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


@pytest.mark.parametrize("full_epoch", [100, 450, 600, 900, 5000])
def test_first_steps_that_were_slow_leave_no_time_unused(clock: Clock, full_epoch: int) -> None:
    """The first 20 steps take four times as long as the others: the plan they give is far too short."""
    began = clock.now
    train(clock, 100, reserve=10, step=0.4, look=0.5, full_epoch=full_epoch, most=50, slow_steps=20)
    assert 78 <= clock.now - began <= 90 + 0.5


def test_a_first_step_that_was_slow_does_not_end_a_training_with_many_held_out(clock: Clock) -> None:
    """A step takes 30 times as long as the others, and the validation part has 1,500 batches."""
    plan = Plan(epochs=8, steps_per_epoch=14_000, fixed=False)
    pace = Pace(clock.now + 180, 25, 20, 14_000, look=1500, closing_looks=1)
    for step in range(1, 100):
        clock.now += 0.3 if step == 1 else 0.01
        pace.step(plan, step)
    assert plan.epochs == 1
    assert 14_000 >= plan.steps_per_epoch > 13_000


@pytest.mark.parametrize("most", [1, 50])
@pytest.mark.parametrize("full_epoch", [100, 700, 5000])
def test_a_machine_that_slows_down_makes_the_epoch_shorter(clock: Clock, full_epoch: int, most: int) -> None:
    began = clock.now
    train(clock, 100, reserve=10, step=0.1, look=0.5, full_epoch=full_epoch, most=most, slows_down=4)
    assert clock.now - began <= 90 + 2
    assert clock.now - began >= (80 if full_epoch * most > 1000 else 10)


def test_a_single_epoch_is_cut_as_well(clock: Clock) -> None:
    began = clock.now
    plan = train(clock, budget=20, reserve=2, step=0.5, look=0.1, full_epoch=1000, most=1)
    assert 20 <= plan.steps_per_epoch <= 40
    assert clock.now - began <= 18.5


def test_steps_that_take_longer_than_the_time_are_few(clock: Clock) -> None:
    assert train(clock, budget=10, reserve=2, step=30, look=1, full_epoch=100, most=9).steps_per_epoch == 1
    assert train(clock, budget=50, reserve=2, step=12, look=1, full_epoch=100, most=9).steps_per_epoch == 3


def test_no_further_epoch_where_not_even_a_look_at_it_fits(clock: Clock) -> None:
    plan = Plan(epochs=5, steps_per_epoch=10, epoch=2, fixed=False)
    Pace(clock.now + 20, 5, 10, 10, look=3).epoch(plan, steps=10, train_seconds=1, look_seconds=16)
    assert plan.epochs == 2


def test_without_a_budget_nothing_changes(clock: Clock) -> None:
    plan = Plan(epochs=3, steps_per_epoch=10)
    pace = Pace(clock.now + 1, 0.0, 100, 10, look=1)
    for step in range(1, 10):
        clock.now += 5
        pace.step(plan, step)
    assert (plan.epochs, plan.steps_per_epoch) == (3, 10)


def test_a_resumed_run_keeps_the_number_that_was_chosen() -> None:
    assert Plan(**Plan(epochs=9, steps_per_epoch=4, epoch=2, progress=0.2, fixed=False).state()).fixed


def test_what_is_answered_at_the_end_is_counted_in_looks(clock: Clock) -> None:
    plan = Plan(epochs=50, steps_per_epoch=100, fixed=False)
    pace = Pace(clock.now + 100, 10, 50, 100, look=3, closing_looks=4)
    pace.epoch(plan, steps=100, train_seconds=10, look_seconds=5)
    assert pace.end_seconds() == 10 + 4 * 5
    assert plan.epochs * (plan.steps_per_epoch * 0.1 + 5) <= 100 - 30
