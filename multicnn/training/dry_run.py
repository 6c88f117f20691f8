"""What a training would do, without doing it."""

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from multicnn.blocks.arithmetic import activation_bytes, parameter_count
from multicnn.blocks.classifier import Classifier
from multicnn.data.parts import open_folds
from multicnn.errors import InputError, UsageError
from multicnn.recipe import Recipe
from multicnn.training.device import choose_device, choose_precision, device_name
from multicnn.training.folds import fold_names, holds_folds, of_fold
from multicnn.training.prepare import Outline, build, outline
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder

# A gradient beside each weight, and the optimiser's means: one for SGD and Muon, two for the others.
COPIES = {"adamw": 4, "adam": 4, "sgd": 3, "adadelta": 4, "muon": 3}


def dry_run(recipe: Recipe, run: RunFolder) -> dict[str, Any]:
    """Checks data and recipe and says what a training would do. Nothing is written, nothing downloaded.

    Args:
        recipe: as it was asked for.
        run: where the run would go.

    Returns:
        The plan: data, class counts, network, parameters, estimated memory in bytes, the settled recipe.

    Raises:
        UsageError: what `train` would refuse too.
    """
    notes = []
    if holds_folds(recipe):
        names = fold_names(open_folds(recipe.data, recipe.pipeline, recipe.training.seed))
        recipe = of_fold(recipe, names[0])
        notes = [f"{len(names)} folds are trained one by one; this is the first"]
    if recipe.training.ensemble > 1:
        notes.append(f"{recipe.training.ensemble} members are trained like this, each from a seed of its own")
    device = choose_device(recipe.training.device)
    precision = choose_precision(recipe.training.precision, device)
    plan = outline(recipe, device.type)
    model, _ = build(plan, Reporter(quiet=True), download=False)
    one = torch.from_numpy(plan.reader.collate([_example(plan)]))
    return {
        "run": str(run.path),
        "notes": notes + plan.parts.notes,
        "left_out": [{"input": trouble.name, "error": trouble.reason} for trouble in plan.parts.troubles],
        "examples": {name: len(examples) for name, examples in plan.parts.named().items()},
        "classes": _class_counts(plan),
        "arch": plan.recipe.model.arch,
        "weights": plan.recipe.model.weights,
        "parameters": parameter_count(model.network),
        "input": list(one.shape[1:]),
        "memory": _memory(plan, model, one, precision),
        "device": device_name(device),
        "precision": str(precision).removeprefix("torch."),
        "recipe": plan.recipe.model_dump(mode="json"),
    }


def _class_counts(plan: Outline) -> dict[str, dict[str, int]]:
    counts = {name: Counter(examples.labels) for name, examples in plan.parts.named().items()}
    return {label: {name: counts[name][label] for name in counts} for label in plan.labels}


def _example(plan: Outline) -> Any:
    """The first training example that can be read."""
    for example in plan.parts.train:
        try:
            return plan.reader.read(example.load())
        except InputError:
            continue
    raise UsageError("none of the training examples can be read")


def _memory(plan: Outline, model: Classifier, one: Tensor, precision: torch.dtype) -> dict[str, int]:
    """Bytes: weights with gradients and the optimiser's state, activations of a (micro-)batch, the examples."""
    training = plan.recipe.training
    weights = parameter_count(model) * 4 * COPIES[training.optimizer]
    with torch.no_grad():
        seen = model.frontend(one)
    activations = activation_bytes(model.network, seen) * (training.micro_batch or int(training.batch_size))
    activations = activations if precision == torch.float32 else activations // 2
    examples = sum(len(part) for part in plan.parts.named().values()) * one.nbytes
    return {
        "weights": weights,
        "activations": activations,
        "examples": examples,
        "total": weights + activations + examples,
    }


def print_plan(plan: dict[str, Any]) -> None:
    """The plan as tables on stdout."""
    from rich.console import Console
    from rich.markup import escape  # class names and patterns may have brackets
    from rich.table import Table

    console = Console(highlight=False)
    facts = Table("what", "value", title="plan")
    megabytes = {name: f"{size / 2**20:,.0f}" for name, size in plan["memory"].items()}
    training = plan["recipe"]["training"]
    for name, value in (
        ("run", plan["run"]),
        ("network", f"{plan['arch']}, weights: {plan['weights']}"),
        ("parameters", f"{plan['parameters']:,}"),
        ("input", " x ".join(map(str, plan["input"]))),
        (
            "memory",
            f"about {megabytes['total']} MiB: activations {megabytes['activations']}, "
            f"weights {megabytes['weights']}, examples {megabytes['examples']}",
        ),
        (
            "training",
            ", ".join(f"{key} {training[key]}" for key in ("epochs", "batch_size", "optimizer", "lr", "weight_decay")),
        ),
        ("device", f"{plan['device']}, {plan['precision']}"),
    ):
        facts.add_row(name, escape(value))
    classes = Table("class", *plan["examples"], title=f"{len(plan['classes'])} classes")
    for label, counts in plan["classes"].items():
        classes.add_row(escape(label), *(f"{counts[part]:,}" for part in plan["examples"]))
    classes.add_section()
    classes.add_row("all", *(f"{count:,}" for count in plan["examples"].values()))
    console.print(facts, classes)
    for note in plan["notes"]:
        console.print(note, markup=False)
    for left_out in plan["left_out"]:
        console.print(f"left out: {left_out['input']}: {left_out['error']}", markup=False)
