"""Several trainings that share a time budget."""

from pathlib import Path
from typing import Any

import pytest

from multicnn.recipe import ImageRecipe, Recipe, parse_duration
from multicnn.recipe_files import dump_recipe
from multicnn.training import several
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.several import KEPT_BACK, Part, train_each


class Trainings:
    """Trainings that each take as long as is said, on a clock of their own; the first second is the command's start."""

    def __init__(self, folder: Path, takes: list[float], patch: pytest.MonkeyPatch) -> None:
        self.now = 1.0
        self.takes = takes
        self.shares: list[float] = []
        self.run = RunFolder(folder)
        self.recipe = ImageRecipe.model_validate({"pipeline": "image", "training": {"time_budget": "100s"}})
        patch.setattr(several, "time", self)

    def monotonic(self) -> float:
        return self.now

    def one(self, recipe: Recipe, run: RunFolder, reporter: Reporter, started: float, *_: Any, **others: Any) -> None:
        """Stands in for `multicnn.training.train.train`."""
        assert started == self.now
        if others["begin"]:
            others["begin"]()
        assert recipe.training.time_budget is not None
        self.shares.append(parse_duration(recipe.training.time_budget))
        self.now += self.takes[len(self.shares) - 1]

    def all(self, resume: bool = False) -> None:
        parts = [Part(self.recipe.model_copy(deep=True), self.run.fold(number), "") for number in (1, 2, 3, 4)]
        train_each(self.one, parts, self.recipe, self.run, Reporter(quiet=True), 0.0, resume)


def test_what_is_left_is_shared_by_those_that_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainings = Trainings(tmp_path, [20.0, 40.0, 10.0, 20.0], monkeypatch)
    trainings.all()
    all_of_it = 100 * (1 - KEPT_BACK)
    assert trainings.shares == pytest.approx(
        [(all_of_it - 1) / 4, (all_of_it - 21) / 3, (all_of_it - 61) / 2, all_of_it - 71], abs=0.01
    )


def test_a_training_that_takes_all_leaves_the_others_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainings = Trainings(tmp_path, [200.0, 1.0, 1.0, 1.0], monkeypatch)
    trainings.all()
    assert trainings.shares[1:] == [1.0, 1.0, 1.0]


def test_resumed_the_parts_that_are_done_have_had_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainings = Trainings(tmp_path, [20.0, 20.0, 20.0], monkeypatch)
    trainings.run.config.write_text(dump_recipe(trainings.recipe), encoding="utf-8")
    done = trainings.run.fold(1)
    done.path.mkdir()
    done.metrics.write_text("{}", encoding="utf-8")
    trainings.all(resume=True)
    assert len(trainings.shares) == 3
    assert trainings.shares[0] == pytest.approx(100 * (1 - KEPT_BACK) / 4, abs=0.01)
