"""Epoch after epoch, until the plan is done: checkpoints, history, the best weights."""

import time
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from multicnn.bundle.tensors import load_tensors, save_tensors
from multicnn.training.batches import Feed
from multicnn.training.checkpoint import optimiser_tensors, restore_optimiser
from multicnn.training.compiling import pays
from multicnn.training.history import Row, write_history, write_scalars
from multicnn.training.loop import Learner, Scores, now
from multicnn.training.plan import Pace, Plan
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder

# A checkpoint is not written more often than this, in seconds: short epochs would spend their time on it.
CHECKPOINT_SECONDS = 15.0


@dataclass(slots=True)
class Progress:
    """What a training has come to; all of it is in the checkpoint.

    Attributes:
        plan: how much is done and how much is to come.
        history: a row per epoch.
        best: the weights that the validation part liked best.
        best_epoch: their epoch, counted from 1.
        earlier: seconds that earlier sessions of this run took.
    """

    plan: Plan
    history: list[Row] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    earlier: float = 0.0

    def is_best(self, scores: Scores) -> bool:
        """Whether validation likes these weights better than any before: more right, or as many with less loss.

        Of words, their spans are to be right: F1 counts, and not accuracy.
        """
        if not self.best_epoch:
            return True
        row = self.history[self.best_epoch - 1]
        best = row.get("validation_span_f1", row["validation_accuracy"])
        right = scores.accuracy if scores.span_f1 is None else scores.span_f1
        return (right, -scores.loss) > (best, -row["validation_loss"])


def fit(
    learner: Learner,
    validation: Feed,
    progress: Progress,
    pace: Pace | None,
    run: RunFolder,
    reporter: Reporter,
    started: float,
) -> None:
    """Trains to the end of the plan.

    Args:
        learner: does the steps.
        validation: the part that chooses the checkpoint.
        progress: where it stands; changed in place.
        pace: fits the plan into a time budget, where there is one.
        run: where checkpoints and history go.
        reporter: one line an epoch.
        started: when the command began, on the clock of `time.monotonic`.
    """
    saved = -CHECKPOINT_SECONDS
    while progress.plan.epoch < progress.plan.epochs and not _stops_early(progress, learner.training.early_stopping):
        row = _epoch(learner, validation, progress, pace)
        reporter.epoch(progress.plan.epoch, progress.plan.epochs, row)
        write_history(run.history, progress.history)
        if learner.training.tensorboard:
            write_scalars(run.tensorboard, row)
        if _compiling_pays(learner, progress):
            reporter.note("compiling the network: there is enough left to train to win that back (training.compile)")
            learner.passes.compile(reporter.warn)
        ends = progress.plan.epoch >= progress.plan.epochs
        if ends or time.monotonic() - saved >= CHECKPOINT_SECONDS:
            save(run, learner, progress, progress.earlier + time.monotonic() - started)
            saved = time.monotonic()


def _epoch(learner: Learner, validation: Feed, progress: Progress, pace: Pace | None) -> Row:
    """One epoch and a look at the validation part."""
    plan = progress.plan
    began = now(learner.device)
    at, counted, left = plan.progress, 0, plan.steps_left

    def done(steps: int) -> float:
        return at + (1 - at) * min(1.0, (steps - counted) / left)

    def after_step(steps: int) -> int:
        nonlocal at, counted, left
        if pace and pace.step(plan, steps):  # from here on the schedule goes as fast as the new plan asks for
            at, counted, left = done(steps), steps, max(1, plan.steps_left - steps)
        return plan.steps_per_epoch

    losses = [earlier["validation_loss"] for earlier in progress.history]
    train, steps = learner.epoch(plan.epoch, plan.steps_per_epoch, done, after_step, losses)
    trained = now(learner.device)
    plan.progress = done(steps)
    plan.epoch += 1
    scores = learner.scores(validation)
    ended = now(learner.device)
    if pace:
        pace.epoch(plan, steps, trained - began, ended - trained)
    row = {
        "epoch": plan.epoch,
        "seconds": ended - began,
        "lr": max(group["lr"] for group in learner.optimiser.param_groups if group["share"] <= 1),
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "validation_loss": scores.loss,
        "validation_accuracy": scores.accuracy,
        "examples_per_second": steps * min(int(learner.training.batch_size), len(learner.feed)) / (trained - began),
    }
    if scores.span_f1 is not None:
        row["validation_span_f1"] = scores.span_f1
    if progress.is_best(scores):
        progress.best_epoch = plan.epoch
        progress.best = {name: tensor.detach().to("cpu", copy=True) for name, tensor in learner.weights().items()}
    progress.history.append(row)
    return row


def _compiling_pays(learner: Learner, progress: Progress) -> bool:
    """Whether `training.compile: auto` compiles now, judged by the epoch that was just done."""
    left = (progress.plan.epochs - progress.plan.epoch) * progress.history[-1]["seconds"]
    return learner.training.compile == "auto" and not learner.passes.compiled and pays(learner.device, left)


def _stops_early(progress: Progress, patience: int) -> bool:
    """Whether so many epochs in a row brought nothing."""
    return bool(patience) and progress.plan.epoch - progress.best_epoch >= patience


def save(run: RunFolder, learner: Learner, progress: Progress, seconds: float) -> None:
    """Writes both checkpoints: the best weights, and everything that --resume needs.

    Args:
        run: the folder.
        learner: after an epoch.
        progress: where it stands.
        seconds: that the run took so far, in all of its sessions.
    """
    save_tensors(run.best, progress.best, {"epoch": progress.best_epoch})
    tensors = {f"model.{name}": tensor for name, tensor in learner.model.state_dict().items()}
    tensors |= {f"optimiser.{name}": tensor for name, tensor in optimiser_tensors(learner.optimiser).items()}
    if learner.ema:
        tensors |= {f"ema.{name}": tensor for name, tensor in learner.ema.mean.items()}
    state = {
        "plan": progress.plan.state(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "seconds": seconds,
        "ema_steps": learner.ema.steps if learner.ema else 0,
        "scaler": learner.scaler.state_dict(),
    }
    save_tensors(run.last, tensors, state)


def restore(run: RunFolder, learner: Learner) -> Progress:
    """Puts a learner back to where the last checkpoint was written.

    Args:
        run: with checkpoints in it.
        learner: built from the same recipe.
    """
    tensors, state = load_tensors(run.last)

    def under(prefix: str) -> dict[str, Any]:
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

    learner.model.load_state_dict(under("model."))
    restore_optimiser(learner.optimiser, under("optimiser."))
    learner.scaler.load_state_dict(state["scaler"])
    if learner.ema:
        learner.ema.mean = {name: tensor.to(learner.device) for name, tensor in under("ema.").items()}
        learner.ema.steps = state["ema_steps"]
    best, _ = load_tensors(run.best)
    return Progress(Plan(**state["plan"]), state["history"], best, state["best_epoch"], state["seconds"])
