"""The gradients of a batch, computed in micro-batches where the whole does not fit the memory."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from multicnn.errors import MulticnnError
from multicnn.recipe import Training
from multicnn.training.memory import is_out_of_memory
from multicnn.training.passes import Passes

SMALLEST = 2  # one example alone has no deviation that a batch normalisation could divide by


class MicroBatches:
    """Adds up a batch's gradients over its micro-batches.

    The sum is the gradient of the whole batch, for the loss of a micro-batch counts by what it weighs in the whole.
    Only batch normalisations see a difference: each takes the mean and the deviation of its micro-batch (Hoffer et al.
    2017, "Train longer, generalize better", section 4, who find that large batches even gain by it).

    Args:
        passes: gives the loss.
        training: settled; its `micro_batch` is lowered where one does not fit.
        scaler: of the losses.
        warn: told when that happens, in one line.
    """

    def __init__(
        self, passes: Passes, training: Training, scaler: torch.amp.GradScaler, warn: Callable[[str], None]
    ) -> None:
        self.passes = passes
        self.training = training
        self.scaler = scaler
        self.warn = warn

    def gradients(self, optimiser: torch.optim.Optimizer, seen: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Puts the gradients of a batch into the parameters.

        Args:
            optimiser: of the parameters.
            seen: what the front end gives, [batch, ...].
            truth: classes, [batch], or what each class has of the examples, [batch, classes].

        Returns:
            The loss and the number of right answers, both still on the device. Where classes are mixed, the one with
            the most of an example is right.

        Raises:
            MulticnnError: not even two examples fit.
        """
        while True:
            optimiser.zero_grad(set_to_none=True)
            try:
                return self._add_up(seen, truth)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # Not in the handler: its traceback would keep the failed pass's tensors. The batch normalisations that the
            # pass had reached take its statistics into their running means a second time, which does no harm.
            self._halve(len(truth))

    def _add_up(self, seen: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The whole batch's loss and right answers, from pieces of nearly the same size."""
        pieces = math.ceil(len(truth) / (self.training.micro_batch or len(truth)))
        total = self.passes.loss.total(truth)
        both = [
            self._piece(one, its, len(its) / len(truth), self.passes.loss.total(its) / total)
            for one, its in zip(seen.tensor_split(pieces), truth.tensor_split(pieces), strict=True)
        ]
        losses, right = zip(*both, strict=True)
        return torch.stack(losses).sum(), torch.stack(right).sum()

    def _piece(self, seen: Tensor, truth: Tensor, share: float, weight: Tensor | float) -> tuple[Tensor, Tensor]:
        """One micro-batch's part of the loss, and its right answers.

        Args:
            seen, truth: the micro-batch.
            share: of the batch's examples.
            weight: its share of what the batch weighs in the loss of the logits.
        """
        if isinstance(weight, Tensor):
            weight = weight.nan_to_num()  # a batch that weighs nothing
        logits, loss = self.passes.training_loss(seen, truth, weight / share)
        loss = share * loss
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        right = truth if truth.ndim == 1 else truth.argmax(1)
        return loss.detach(), (logits.argmax(1) == right).sum()

    def _halve(self, batch: int) -> None:
        size = min(self.training.micro_batch or batch, batch)
        if size <= SMALLEST:
            raise MulticnnError("not even two examples at a time fit the memory; use a smaller --arch or inputs")
        half = self.training.micro_batch = max(SMALLEST, size // 2)
        self.warn(f"{size} examples at a time do not fit the memory; going on with {half} (training.micro_batch)")
