"""Which weights a network starts from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from multicnn.blocks.classifier import Classifier
from multicnn.blocks.loading import load_into, open_weights
from multicnn.bundle.read import META
from multicnn.errors import UsageError
from multicnn.image.weights import imagenet_weights
from multicnn.recipe import Recipe
from multicnn.training.progress import Reporter

# Pipelines that share their networks, and ImageNet's weights.
SIGNALS = {"image", "audio"}


@dataclass(frozen=True, slots=True)
class Start:
    """What a network begins with.

    Attributes:
        pretrained: its weights have learned from other data.
        gentle: they know data of this kind, and need move little: ImageNet's, or a run's of the same pipeline. Those of
            an image run, under spectrograms, were worse than fresh ones at a gentle rate, and not at the fresh ones'.
        normalised: the mean and deviation of its front end came with them.
    """

    pretrained: bool = False
    gentle: bool = False
    normalised: bool = False


def start_weights(recipe: Recipe, model: Classifier, reporter: Reporter, download: bool = True) -> Start:
    """Loads what `model.weights` asks for, and writes into the recipe what `auto` came to.

    Args:
        recipe: settled but for the training section; `model.weights` is changed from `auto`.
        model: changed in place.
        reporter: says what was and was not loaded.
        download: whether files may be fetched.

    Raises:
        UsageError: the weights cannot be had or do not fit.
    """
    wanted = recipe.model.weights
    if wanted in ("auto", "imagenet"):
        return _imagenet(recipe, model, reporter, download)
    if wanted == "none":
        return Start()
    theirs, meta = open_weights(wanted), _meta(Path(wanted))
    alike = meta.get("pipeline", recipe.pipeline) == recipe.pipeline
    if not alike:  # means and deviations of another kind of signal
        theirs = {name: tensor for name, tensor in theirs.items() if not name.startswith("frontend.")}
    try:
        report = load_into(model, theirs)
    except UsageError as error:
        own = f"; {wanted} is a {meta['name']} for {meta['pipeline']}, this is a {recipe.model.arch}" if meta else ""
        raise UsageError(f"{error}{own}") from error
    reporter.note(f"{wanted}: {report.line()}")
    return Start(pretrained=True, gentle=alike, normalised=any(_is_mean(name) for name in report.loaded))


def take_network(recipe: Recipe) -> Recipe:
    """A recipe that starts from a run and names no other network, with the run's network and its options.

    Args:
        recipe: as it was asked for.

    Returns:
        A copy; the recipe itself where it does not start from a run, or names a network of its own.
    """
    meta = _meta(Path(recipe.model.weights))
    theirs = meta.get("architecture", {})
    name = theirs.get("name")
    alike = meta.get("pipeline") == recipe.pipeline or {meta.get("pipeline"), recipe.pipeline} <= SIGNALS
    if name is None or not alike or recipe.model.arch not in ("auto", name):
        return recipe
    model = recipe.model.model_copy(update={"arch": name, "options": theirs["options"] | recipe.model.options})
    return recipe.model_copy(update={"model": model})


def _meta(where: Path) -> dict[str, Any]:
    """The bundle.json of a run or a bundle; empty for a file of weights."""
    for path in (where / META, where / "model" / META):
        if path.is_file():
            meta: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return meta
    return {}


def _imagenet(recipe: Recipe, model: Classifier, reporter: Reporter, download: bool) -> Start:
    wanted = recipe.model.weights
    if recipe.pipeline not in SIGNALS:
        if wanted == "imagenet":
            raise UsageError("--weights imagenet: networks for texts have no such weights; use a file, a run or none")
        recipe.model.weights = "none"
        return Start()
    found = imagenet_weights(recipe.model.arch, "imagenet" if wanted == "imagenet" else "auto", may_download=download)
    recipe.model.weights = "imagenet" if found else "none"
    if found is None:
        return Start()
    report = load_into(model.network, found.read())
    reporter.note(f"{found.file}: {report.line()}")
    own = dict(model.frontend.named_buffers())
    if recipe.pipeline == "audio" or "mean" not in own:  # a spectrogram or Lab is not normalised like a photograph
        return Start(pretrained=True, gentle=True)
    mean, std = found.normalisation(own["mean"].numel())
    own["mean"].copy_(torch.tensor(mean))
    own["std"].copy_(torch.tensor(std))
    return Start(pretrained=True, gentle=True, normalised=True)


def _is_mean(name: str) -> bool:
    """Whether a weight is the mean by which the front end normalises: `frontend.mean`, or `frontend.lab_mean`."""
    return name.startswith("frontend.") and name.endswith("mean")
