"""Cross-validation: one training per fold, each measured on the fold that it has not seen."""

import json
from collections.abc import Callable, Iterator
from itertools import chain
from statistics import mean, median, stdev
from typing import Any

import numpy as np

from multicnn.bundle.read import open_bundle
from multicnn.data.decode import collect, read_pieces
from multicnn.data.example import Example, Trouble
from multicnn.data.examples import DataSet
from multicnn.data.files import csv_pieces, write_atomically, write_pieces
from multicnn.data.order import natural_key
from multicnn.data.parts import open_folds
from multicnn.data.recordings import means
from multicnn.data.word import sentence_starts
from multicnn.evaluation.evaluate import classify
from multicnn.evaluation.metrics import metrics
from multicnn.inference.output import DECIMALS
from multicnn.inference.predictor import Predictor
from multicnn.recipe import Recipe
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.several import Part, train_each
from multicnn.training.train import Outcome

# The figures of the table at the end.
SHOWN = ("accuracy", "macro_f1", "log_loss")


def holds_folds(recipe: Recipe) -> bool:
    """Whether every fold is to be held out in its turn, and not only one."""
    return recipe.data.folds is not None and recipe.data.fold is None


def fold_names(data: DataSet) -> list[str]:
    """The folds of a data set, in natural order."""
    return sorted(map(str, data.examples.folds.occurring()), key=natural_key)


def of_fold(recipe: Recipe, name: str) -> Recipe:
    """The recipe that holds out one fold."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"fold": name})}, deep=True)


def cross_validate(
    once: Callable[..., Any],
    recipe: Recipe,
    run: RunFolder,
    reporter: Reporter,
    started: float,
    resume: bool = False,
) -> Outcome:
    """Trains one run per fold and writes the figures of the whole.

    In each of them the checkpoint is chosen on a validation part that is cut from the other folds.

    Args:
        once: trains what is wanted for one fold, a model or an ensemble.
        recipe: as it was asked for; the folds share its time budget.
        run: the folder of the whole; the runs lie in it as fold-1, fold-2, ...
        reporter: says what is going on, and draws the table at the end.
        started: when the command began, on the clock of `time.monotonic`.
        resume: leave finished folds as they are and go on with the one that was interrupted.

    Raises:
        UsageError: the data or the recipe is wrong.
        MulticnnError: it failed while training.
    """
    data = open_folds(recipe.data, recipe.pipeline, recipe.training.seed)
    names = fold_names(data)
    parts = [
        Part(of_fold(recipe, name), run.fold(number), f"fold {name}, {number} of {len(names)}")
        for number, name in enumerate(names, start=1)
    ]
    train_each(once, parts, recipe, run, reporter, started, resume)
    return _sum_up(run, data, names, reporter)


def _sum_up(run: RunFolder, data: DataSet, names: list[str], reporter: Reporter) -> Outcome:
    """Writes the predictions for every example by the model that had not seen it, and the figures of the whole."""
    runs = [json.loads(run.fold(number).metrics.read_text(encoding="utf-8")) for number in range(1, len(names) + 1)]
    examples: list[Example] = []
    troubles: list[Trouble] = list(data.troubles)
    answers: list[np.ndarray] = []
    labels: list[str] = []
    for number, name in enumerate(names, start=1):
        predictor = Predictor(open_bundle(run.fold(number).path))
        labels = predictor.labels
        held_out = data.examples.take(data.examples.folds.are(name))
        decoded = collect(*read_pieces(held_out, predictor.reader))
        answers.append(means(classify(predictor, decoded.arrays), decoded.owner))
        examples += held_out.take(np.unique(decoded.owner))
        troubles += decoded.troubles
    probabilities = np.concatenate(answers)
    truth = np.array([labels.index(str(example.label)) for example in examples])
    folds = over_folds([one["test"] for one in runs])
    result = {
        "format": 1,
        "best_epoch": None,
        "validation": None,
        "test": metrics(labels, truth, probabilities, sentence_starts(examples)),
        "last_epoch": {"validation": None, "test": None},
        "folds": folds,
        "seconds": round(sum(one["seconds"] for one in runs), 2),
        "examples_per_second": median(one["examples_per_second"] for one in runs),
        "device": runs[-1]["device"],
        "versions": runs[-1]["versions"],
    }
    write_pieces(run.predictions, _predictions(examples, labels, probabilities))
    write_atomically(run.metrics, json.dumps(result, ensure_ascii=False, indent=1))
    _print_table(names, folds, reporter)
    return Outcome(run.path, result, troubles)


def over_folds(figures: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Mean, standard deviation (of a sample, n - 1) and values of each figure over the folds.

    Args:
        figures: of each fold's test part.
    """
    numbers = [key for key, value in figures[0].items() if isinstance(value, float)]
    values = {key: [one[key] for one in figures] for key in numbers}
    return {key: {"mean": mean(each), "std": stdev(each), "values": each} for key, each in values.items()}


def _predictions(examples: list[Example], labels: list[str], probabilities: np.ndarray) -> Iterator[str]:
    """A row an example: its name, label, predicted label, fold, and the score of each class."""
    predicted = probabilities.argmax(axis=1).tolist()
    scores = probabilities.astype(np.float64).round(DECIMALS).tolist()
    rows = (
        (example.name, example.label, labels[best], example.fold, *row)
        for example, best, row in zip(examples, predicted, scores, strict=True)
    )
    return csv_pieces(chain([("input", "label", "predicted", "fold", *(f"score:{label}" for label in labels))], rows))


def _print_table(names: list[str], folds: dict[str, dict[str, Any]], reporter: Reporter) -> None:
    from rich.markup import escape  # a fold's name may have brackets
    from rich.table import Table

    if reporter.quiet:
        return
    table = Table("fold", *(key.replace("_", " ") for key in SHOWN))
    for number, name in enumerate(names):
        table.add_row(escape(name), *(f"{folds[key]['values'][number]:.4f}" for key in SHOWN))
    table.add_section()
    table.add_row("mean ± std", *(f"{folds[key]['mean']:.4f} ± {folds[key]['std']:.4f}" for key in SHOWN))
    reporter.console.print(table)
