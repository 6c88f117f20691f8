"""Several trainings that belong together, one after the other, which can be interrupted and resumed as one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from multicnn.data.files import write_atomically
from multicnn.recipe import Recipe, parse_duration
from multicnn.recipe_files import dump_recipe, load_recipe
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder

# The share of a time budget that is kept for what comes after the trainings.
KEPT_BACK = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One of the trainings.

    Attributes:
        recipe: what it does.
        folder: its run.
        title: said before it begins.
    """

    recipe: Recipe
    folder: RunFolder
    title: str


def train_each(
    train: Callable[..., Any],
    parts: Sequence[Part],
    recipe: Recipe,
    run: RunFolder,
    reporter: Reporter,
    started: float,
    resume: bool,
    whole: RunFolder | None = None,
    begin: Callable[[], None] | None = None,
) -> None:
    """Trains them all; what is left of a time budget is shared evenly by those that are left.

    Args:
        train: trains one, as `multicnn.training.train.train` does.
        parts: the trainings.
        recipe: of the whole.
        run: the folder of the whole, with the parts' folders in it.
        reporter: says what is going on.
        started: when the command began, on the clock of `time.monotonic`.
        resume: leave finished parts as they are and go on with the one that was interrupted.
        whole: what can be resumed, where this whole is itself a part.
        begin: called once all is known to be right, before anything is written.
    """
    resume = resume and run.config.exists()

    def write() -> None:
        if begin:
            begin()
        run.clear()
        write_atomically(run.config, dump_recipe(recipe))

    waiting = [part for part in parts if not (resume and part.folder.metrics.exists())]
    since = time.monotonic() if resume else started
    for number, part in enumerate(waiting):
        reporter.note(part.title)
        began = time.monotonic()
        if resume and part.folder.config.exists():
            one = load_recipe(recipe.pipeline, str(part.folder.config))
        else:
            one = _with_share(part.recipe, len(waiting) / len(parts), began - since, len(waiting) - number)
        first = number == 0 and not resume
        train(one, part.folder, reporter, began, resume, whole=whole or run, begin=write if first else None)


def _with_share(recipe: Recipe, share: float, spent: float, left: int) -> Recipe:
    """The recipe of one of several parts, with its share of the time.

    Args:
        recipe: with the time of all parts; changed in place.
        share: of that time, what is there for the parts that were not done before.
        spent: seconds of it that have passed.
        left: how many parts there are to come, with this one.
    """
    if recipe.training.time_budget is not None:
        seconds = parse_duration(recipe.training.time_budget) * (1 - KEPT_BACK) * share - spent
        recipe.training.time_budget = f"{max(seconds / left, 1.0):.2f}s"
    return recipe
