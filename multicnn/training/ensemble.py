"""Ensembles: models that learned alike from other seeds, or are alike enough, and the mean of what they say."""

import csv
import datetime
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import multicnn
from multicnn.bundle.merge import check_alike, merge_onnx
from multicnn.bundle.read import WEIGHTS, Bundle, open_bundle
from multicnn.bundle.tensors import Weights, load_tensors
from multicnn.bundle.write import versions, write_files
from multicnn.data.decode import collect, read_pieces
from multicnn.data.example import Trouble
from multicnn.data.examples import Examples
from multicnn.data.files import write_atomically
from multicnn.data.parts import divide
from multicnn.errors import UsageError
from multicnn.evaluation.evaluate import measure
from multicnn.inference.predictor import Predictor
from multicnn.recipe import RECIPES, Recipe
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.session import MEASURED
from multicnn.training.several import Part, train_each
from multicnn.training.train import Outcome, train


def train_ensemble(
    recipe: Recipe,
    run: RunFolder,
    reporter: Reporter,
    started: float,
    resume: bool = False,
    whole: RunFolder | None = None,
    begin: Callable[[], None] | None = None,
) -> Outcome:
    """Trains members that differ in their seed alone, and averages them; the arguments are those of `train`.

    Hansen and Salamon 1990, "Neural Network Ensembles"; Lakshminarayanan et al. 2017, "Simple and Scalable Predictive
    Uncertainty Estimation using Deep Ensembles". The data are cut alike for all, so that none has learned from what
    the ensemble is measured on.
    """
    count = recipe.training.ensemble
    parts = [
        Part(_member(recipe, number), run.member(number), f"member {number} of {count}")
        for number in range(1, count + 1)
    ]
    train_each(train, parts, recipe, run, reporter, started, resume, whole, begin)
    return ensemble([str(part.folder.path) for part in parts], run, reporter)


def _member(recipe: Recipe, number: int) -> Recipe:
    """The recipe of one member: the seed goes up by 1, and the data are cut as they are for the first."""
    member = recipe.model_copy(deep=True)
    member.data.seed = recipe.training.seed if recipe.data.seed is None else recipe.data.seed
    member.training.seed = recipe.training.seed + number - 1
    member.training.ensemble = 1
    return member


def ensemble(members: Sequence[str], run: RunFolder, reporter: Reporter, clear: bool = False) -> Outcome:
    """Makes one bundle of finished runs, and measures it on the parts that none of them has learned from.

    Args:
        members: runs, bundles or .onnx files; only of runs it is known what they have not seen.
        run: where the bundle and its figures are written.
        reporter: says what is not measured, and why.
        clear: remove what an earlier run left in the folder, once all is known to be right.

    Raises:
        UsageError: there are fewer than two, they differ in their classes or in how they read, or would be removed.
    """
    began = time.monotonic()
    bundles = [open_bundle(member) for member in members]
    check_alike(bundles)
    parts, troubles = _held_out(members, bundles, reporter)
    labels = bundles[0].meta["labels"]

    def figures(bundle: Bundle) -> dict[str, dict[str, Any] | None]:
        predictor = Predictor(bundle)
        found: dict[str, dict[str, Any] | None] = dict.fromkeys(MEASURED)
        for name, examples in parts.items():
            decoded = collect(*read_pieces(examples, predictor.reader))
            troubles.extend(decoded.troubles)
            if decoded.labels:
                truth = [labels.index(str(label)) for label in decoded.labels]
                found[name] = measure(predictor, decoded.arrays, truth, decoded.owner, decoded.starts)
        return found

    if clear:
        _refuse_inside(members, run)
        run.clear()
    measured = write_files(
        run.model,
        _describe(members, bundles),
        _weights(bundles),
        lambda path: merge_onnx([bundle.model for bundle in bundles], path),
        figures,
    )
    earlier = [one for member in members if (one := _metrics(member))]
    result = {
        "format": 1,
        "best_epoch": None,
        **measured,
        "last_epoch": dict.fromkeys(MEASURED),
        "members": [
            {"model": member, **{part: (bundle.meta.get("figures") or {}).get(part) for part in MEASURED}}
            for member, bundle in zip(members, bundles, strict=True)
        ],
        "seconds": round(sum(one["seconds"] for one in earlier) + time.monotonic() - began, 2),
        "examples_per_second": earlier[0]["examples_per_second"] if earlier else None,
        "device": earlier[0]["device"] if earlier else None,
        "versions": versions(),
    }
    write_atomically(run.metrics, json.dumps(result, ensure_ascii=False, indent=1))
    return Outcome(run.path, result, troubles)


def _refuse_inside(members: Sequence[str], run: RunFolder) -> None:
    """Members in the folder that is written would be removed before they are read."""
    inside = [member for member in members if Path(member).resolve().is_relative_to(run.path.resolve())]
    if inside:
        raise UsageError(f"{inside[0]} lies in {run.path}, which is to be written anew; choose another --output")


def _held_out(
    members: Sequence[str], bundles: Sequence[Bundle], reporter: Reporter
) -> tuple[dict[str, Examples], list[Trouble]]:
    """The validation and the test part, where all members kept the same examples back for it."""
    splits = [_split(Path(member)) for member in members]
    if None in splits:
        reporter.note("not measured: only of runs, which have a split.csv, it is known what they have not seen")
        return {}, []
    meta = bundles[0].meta
    recipe = RECIPES[meta["pipeline"]].model_validate(meta["provenance"]["recipe"])
    try:
        divided = divide(recipe.data, meta["pipeline"], recipe.training.seed)
    except UsageError as error:
        reporter.warn(f"the ensemble is not measured: {error}")
        return {}, []
    parts = {}
    for name in MEASURED:
        examples = divided.named()[name]
        kept_back = set(examples.names)
        if all(split is not None and split.get(name, set()) == kept_back for split in splits):
            parts[name] = examples
        else:
            reporter.note(f"not measured on the {name} part: the members do not have the same one")
    return parts, divided.troubles


def _split(member: Path) -> dict[str, set[str]] | None:
    """The names of the examples in each part of a run; None where it is no run."""
    path = RunFolder(member).split
    if not path.is_file():
        return None
    parts: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            parts.setdefault(row["split"], set()).add(row["name"])
    return parts


def _metrics(member: str) -> dict[str, Any] | None:
    path = RunFolder(Path(member)).metrics
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def _weights(bundles: Sequence[Bundle]) -> Weights:
    """The weights of all members, by `member1.name`; a lone .onnx file has none beside it."""
    return {
        f"member{number}.{name}": tensor
        for number, bundle in enumerate(bundles, start=1)
        if bundle.folder is not None
        for name, tensor in load_tensors(bundle.folder / WEIGHTS)[0].items()
    }


def _describe(members: Sequence[str], bundles: Sequence[Bundle]) -> dict[str, Any]:
    """What bundle.json says: that of the first member, but for what is the whole's."""
    metas = [bundle.meta for bundle in bundles]
    names = list(dict.fromkeys(meta["architecture"]["name"] for meta in metas))
    first = metas[0]
    return {
        **{key: first[key] for key in ("format", "pipeline", "labels", "reader", "input")},
        "name": f"{len(bundles)} x {', '.join(names)}",
        "architecture": {
            "name": f"ensemble of {len(bundles)}: {', '.join(names)}",
            "options": {},
            "parameters": sum(meta["architecture"]["parameters"] for meta in metas),
        },
        "provenance": {
            **first["provenance"],
            "multicnn": multicnn.__version__,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "members": list(members),
            "versions": versions(),
        },
    }
