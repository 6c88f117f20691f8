"""One training, from its first step to its written bundle."""

import copy
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from multicnn.blocks.classifier import Classifier
from multicnn.bundle.export import export_onnx
from multicnn.bundle.read import MODEL, Bundle
from multicnn.bundle.write import describe, versions, write_bundle
from multicnn.data.files import write_atomically
from multicnn.evaluation.evaluate import BATCH, measure
from multicnn.evaluation.metrics import metrics
from multicnn.evaluation.spans import span_f1
from multicnn.inference.predictor import Predictor
from multicnn.recipe import Training, parse_duration
from multicnn.recipe_files import dump_recipe
from multicnn.training.batches import Feed
from multicnn.training.device import device_name
from multicnn.training.drift import write_drift
from multicnn.training.fit import Progress, fit, restore
from multicnn.training.loop import Learner
from multicnn.training.plan import Pace, Plan
from multicnn.training.prepare import Material, Outline
from multicnn.training.progress import Reporter
from multicnn.training.rate_test import Curve
from multicnn.training.run_folder import RunFolder
from multicnn.training.search import settle_batch, settle_rate

# The parts that metrics.json has figures for.
MEASURED = ("validation", "test")
# Where `--batch-size auto` fits the batch to the memory; elsewhere memory is swapped before it runs out.
FOR_LARGE_BATCHES = ("cuda",)
# Beside what the rehearsal measures, in seconds: writing checkpoints, weights and pages, and Python's start and end.
OTHER_SECONDS = 3.0


@dataclass(slots=True)
class Session:
    """One training from its first step to its written bundle."""

    plan: Outline
    material: Material
    model: Classifier
    run: RunFolder
    reporter: Reporter
    device: torch.device
    precision: torch.dtype

    def search(self, asked: Training) -> Curve | None:
        """Settles what is found by trying, before anything is written.

        Args:
            asked: the recipe's training section as it was asked for.

        Returns:
            What the range test of the learning rate saw, where there was one.
        """
        fits_batch = asked.batch_size == "auto" and self.device.type in FOR_LARGE_BATCHES
        if not fits_batch and asked.lr != "find":
            return None
        training, feed = self.plan.recipe.training, self._feed("train")

        def trial(**settings: Any) -> Learner:
            return self._learner(copy.deepcopy(self.model), feed, training.model_copy(update=settings), lambda _: None)

        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            if fits_batch:
                settle_batch(training, asked, trial)
                self.reporter.note(f"--batch-size auto: {training.batch_size} examples a step")
            curve = settle_rate(training, trial) if asked.lr == "find" else None
        if curve:
            self.reporter.note(f"--lr find: {training.lr:g}, after {len(curve.rates)} steps; see lr_find.svg")
        return curve

    def go(self, started: float, most_epochs: int, resume: bool) -> dict[str, Any]:
        """Trains, exports, measures, writes.

        Args:
            started: when the command began, on the clock of `time.monotonic`.
            most_epochs: no more than these, however long the time budget.
            resume: go on from the last checkpoint.

        Returns:
            What metrics.json says.
        """
        training = self.plan.recipe.training
        budget = None if resume or training.time_budget is None else parse_duration(training.time_budget)
        reserve = self._rehearse() if budget else 0.0
        feeds = {name: self._feed(name) for name, truth in self.material.truth.items() if len(truth)}
        learner = self._learner(self.model, feeds["train"], training, self.reporter.warn)
        if training.compile == "on":
            learner.passes.compile(self.reporter.warn)
        full_epoch = max(1, feeds["train"].examples // int(training.batch_size))
        progress = Progress(Plan(int(training.epochs), full_epoch, fixed=budget is None))
        if resume:
            progress = restore(self.run, learner)
        look = len(feeds["validation"]) / int(training.batch_size)
        views = 1 if self.model.views is None else len(self.model.views)
        closing_looks = views * self._held_out() / len(feeds["validation"])
        pace = Pace(started + budget, reserve, most_epochs, full_epoch, look, closing_looks) if budget else None
        before = time.monotonic() - started
        fit(learner, feeds["validation"], progress, pace, self.run, self.reporter, started)
        if pace and progress.plan.epochs == 1 and progress.plan.steps_per_epoch < full_epoch:
            self.reporter.warn(
                f"the time budget left {progress.plan.steps_per_epoch:,} of the {full_epoch:,} steps of an epoch; "
                f"{before:.0f} s had passed before, and export and measurement take about {pace.end_seconds():.0f} s: "
                "give it more"
            )
        training.epochs = progress.plan.epochs  # what the time budget came to, as the micro-batch what fits
        write_atomically(self.run.config, dump_recipe(self.plan.recipe))
        return self._finish(learner, feeds, progress, started)

    def _feed(self, name: str) -> Feed:
        decoded = self.material.decoded[name]
        owner = decoded.owner
        if name == "train" and self.plan.reader.windows:
            owner = np.arange(len(owner))  # each window is learned from in each epoch
        truth, starts = self.material.truth[name], decoded.starts
        spans = None if starts is None else partial(span_f1, self.plan.labels, truth, starts)
        return Feed(decoded.arrays, truth, self.plan.reader, self.device, owner, spans)

    def _learner(self, model: Classifier, feed: Feed, training: Training, warn: Callable[[str], None]) -> Learner:
        """What trains a model, which moves to the device."""
        torch.use_deterministic_algorithms(training.deterministic)
        model.to(self.device)
        model.network.to(memory_format=torch.channels_last)
        augmentation = self.plan.pipeline.augmentation(self.plan.recipe)
        return Learner(model, feed, len(self.plan.labels), training, augmentation, self.precision, warn)

    def _describe(self) -> dict[str, Any]:
        example = self.material.decoded["train"].arrays[0]
        return describe(
            self.plan.recipe, self.plan.reader, self.model, self.plan.labels, example, self.material.counts()
        )

    def _rehearse(self) -> float:
        """Exports the untrained model and lets it answer: how many seconds it will take to export and measure it.

        What cannot be exported is found out here too, before the time is spent.
        """
        began = time.monotonic()
        arrays = self.material.decoded["train"].arrays
        few = [arrays[i] for i in range(min(BATCH, len(arrays)))]
        with tempfile.TemporaryDirectory(prefix="multicnn-") as folder:
            path = Path(folder) / MODEL
            export_onnx(self.model, self.plan.reader, few[0], path, self.plan.recipe.model.fold)
            predictor = Predictor(Bundle(self._describe(), path, None))
            predictor.probabilities(few)
        exported = time.monotonic()
        predictor.probabilities(few)
        answered = (time.monotonic() - exported) / len(few)
        return exported - began + answered * self._held_out() + OTHER_SECONDS

    def _held_out(self) -> int:
        """How many examples the end measures with."""
        return sum(len(self.material.truth[name]) for name in MEASURED)

    def _finish(self, learner: Learner, feeds: dict[str, Feed], progress: Progress, started: float) -> dict[str, Any]:
        """Measures the last epoch's weights, exports the best ones, measures what was exported, writes it all."""
        last_epoch = {name: self._last_epoch(learner, feeds, name) for name in MEASURED}
        self.model.to("cpu")
        self.model.load_state_dict(progress.best)
        write_drift(self.run, self.model.network, self.plan.recipe.model.weights, progress.best_epoch)
        example = self.material.decoded["train"].arrays[0]
        fold = self.plan.recipe.model.fold
        figures = write_bundle(
            self.run.model, self.model, self.plan.reader, example, self._describe(), self._measure, fold
        )
        result = {
            "format": 1,
            "best_epoch": progress.best_epoch,
            **figures,
            "last_epoch": last_epoch,
            "seconds": round(progress.earlier + time.monotonic() - started, 2),
            "examples_per_second": round(median(row["examples_per_second"] for row in progress.history), 1),
            "device": device_name(self.device),
            "versions": versions(),
        }
        write_atomically(self.run.metrics, json.dumps(result, ensure_ascii=False, indent=1))
        return result

    def _last_epoch(self, learner: Learner, feeds: dict[str, Feed], name: str) -> dict[str, Any] | None:
        if name not in feeds:
            return None
        feed, starts = feeds[name], self.material.decoded[name].starts
        return metrics(self.plan.labels, feed.truth_of_examples(), learner.probabilities(feed), starts)

    def _measure(self, bundle: Bundle) -> dict[str, dict[str, Any] | None]:
        """The figures of the exported model: what `multicnn evaluate` will say of it."""
        predictor = Predictor(bundle)
        parts = ((name, self.material.decoded[name], self.material.truth[name]) for name in MEASURED)
        return {
            name: measure(predictor, part.arrays, truth, part.owner, part.starts) if len(truth) else None
            for name, part, truth in parts
        }
