"""Forward passes of a network, in the precision of a training."""

from collections.abc import Callable

import torch
from torch import Tensor

from multicnn.blocks.backbone import Network
from multicnn.blocks.loss import Loss
from multicnn.training.compiling import Compiled


class Passes:
    """From what the front end gives to logits, and to the loss.

    Args:
        network: what learns.
        loss: how wrong its logits are; always in float32.
        precision: the type in which the network multiplies.

    Attributes:
        training_loss: `plain_training_loss`, or the same compiled.
    """

    def __init__(self, network: Network, loss: Loss, precision: torch.dtype) -> None:
        self.network = network
        self.loss = loss
        self.precision = precision
        self.training_loss: Callable[..., tuple[Tensor, Tensor]] = self.plain_training_loss

    @property
    def compiled(self) -> bool:
        """Whether the passes of the training are."""
        return isinstance(self.training_loss, Compiled)

    def compile(self, warn: Callable[[str], None]) -> None:
        """Compiles the passes of the training; the few without gradients stay as they are."""
        self.training_loss = Compiled(self.plain_training_loss, warn)

    def logits(self, seen: Tensor) -> Tensor:
        """[batch, ...] to logits, [batch, classes]."""
        with self._autocast(seen):
            logits: Tensor = self.network(_channels_last(seen))
        return logits

    def plain_training_loss(self, seen: Tensor, truth: Tensor, share: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        """Logits, [batch, classes], and what is to become small, one number.

        Args:
            seen: what the front end gives, [batch, ...].
            truth: classes, [batch], or what each class has of the examples, [batch, classes].
            share: what the loss of the logits is multiplied by; what a network adds to it is left as it is.
        """

        def criterion(logits: Tensor, truth: Tensor) -> Tensor:
            with torch.autocast(logits.device.type, enabled=False):
                wrong: Tensor = share * self.loss(logits.float(), truth)
            return wrong

        with self._autocast(seen):
            return self.network.training_loss(_channels_last(seen), truth, criterion)

    def _autocast(self, seen: Tensor) -> torch.autocast:
        return torch.autocast(seen.device.type, dtype=self.precision, enabled=self.precision != torch.float32)


def _channels_last(seen: Tensor) -> Tensor:
    """Pictures, [batch, channels, height, width], in the memory order that convolutions like best."""
    return seen.contiguous(memory_format=torch.channels_last) if seen.ndim == 4 else seen
