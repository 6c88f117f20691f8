"""What a recipe asks for: one training, one for each member of an ensemble, or either for each fold."""

from multicnn.recipe import Recipe
from multicnn.training.ensemble import train_ensemble
from multicnn.training.folds import cross_validate, holds_folds
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.train import Outcome, train


def carry_out(recipe: Recipe, run: RunFolder, reporter: Reporter, started: float, resume: bool = False) -> Outcome:
    """Trains as often as the recipe asks for; the arguments are those of `train`."""
    once = train_ensemble if recipe.training.ensemble > 1 else train
    if holds_folds(recipe):
        return cross_validate(once, recipe, run, reporter, started, resume)
    return once(recipe, run, reporter, started, resume)
