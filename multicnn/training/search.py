"""Settings that are found by trying, on copies of the model: the largest batch that fits, and the learning rate."""

import math
from collections.abc import Callable

import numpy as np
import torch

from multicnn.recipe import Training, parse_duration
from multicnn.training.loop import Learner
from multicnn.training.memory import is_out_of_memory
from multicnn.training.rate_test import Curve, range_test, settings

# Larger batches would need more care with rate and warm-up than a rule has (Goyal et al. 2017); with fewer steps an
# epoch, too little is learned in each.
LARGEST_BATCH = 512
STEPS_PER_EPOCH = 25
# How the learning rate follows the batch: linearly for SGD (Goyal et al. 2017, "Accurate, Large Minibatch SGD", section
# 2.1), by the square root for Adam and its kin (Malladi et al. 2022, "On the SDEs and Scaling Rules for Adaptive
# Gradient Algorithms"); Adadelta scales itself.
POWER = {"sgd": 1.0, "adadelta": 0.0}
ADAMS_POWER = 0.5
# Of a time budget, what the range test may take.
TEST_SHARE = 0.1

Trial = Callable[..., Learner]  # changed training settings to a learner on a copy of the model


def settle_batch(training: Training, asked: Training, trial: Trial) -> None:
    """Finds the largest batch, a power of two, whose training step fits the device's memory.

    A batch below the usual size is not made: its gradient is computed in micro-batches instead.

    Args:
        training: settled for the usual batch size; changed in place.
        asked: what the recipe asked for. A learning rate that it left open follows the batch.
        trial: makes a learner to try with.
    """
    usual, learner = int(training.batch_size), trial(lr=0.0, micro_batch=0)
    top = max(usual, 2 ** int(math.log2(max(1, min(LARGEST_BATCH, len(learner.feed) // STEPS_PER_EPOCH)))))
    fits = largest_that_fits(learner, top)
    size = max(usual, fits)
    training.batch_size = size
    if fits < usual:
        training.micro_batch = fits
    if asked.lr == "auto":
        training.lr = float(training.lr) * (size / usual) ** POWER.get(training.optimizer, ADAMS_POWER)


def largest_that_fits(learner: Learner, size: int) -> int:
    """The largest number of examples, `size` halved as often as need be, whose gradients fit the memory at once.

    Args:
        learner: that has not learned anything worth keeping.
        size: what is tried first.

    Raises:
        MulticnnError: not even two examples fit.
    """
    training, generator = learner.training, torch.Generator(learner.device).manual_seed(0)
    order = np.arange(len(learner.feed)) if learner.feed.lengths is None else np.argsort(-learner.feed.lengths)
    learner.model.train()
    while True:
        inputs, truth = learner.feed.batch(order[:size])
        try:
            for _ in range(2):  # the optimiser's means are there from the second step on
                learner.step(inputs, truth, generator, 0.0)
            return min(training.micro_batch or size, size)
        except RuntimeError as error:  # from the augmentation: the passes halve what does not fit
            if size < 2 or not is_out_of_memory(error):
                raise
        size //= 2


def settle_rate(training: Training, trial: Trial) -> Curve:
    """Finds the learning rate by a range test.

    Args:
        training: settled but for its `lr`, which is changed in place.
        trial: makes a learner to try with.

    Raises:
        MulticnnError: the loss falls at no rate.
    """
    budget = training.time_budget
    curve = range_test(trial(**settings(training)), TEST_SHARE * parse_duration(budget) if budget else math.inf)
    training.lr = float(f"{curve.found():.3g}")
    return curve
