"""What every architecture offers: features, a head that can be changed, and a loss to learn by."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from torch import Tensor, nn

Criterion = Callable[[Tensor, Tensor], Tensor]  # logits [batch, classes] and the true classes [batch] to one number


class Network(nn.Module):
    """What training asks of a network: logits, and how wrong they are.

    Networks that see more in training than their logits, such as auxiliary heads, put it into `training_loss`.
    """

    loss: ClassVar[str] = "cross_entropy"  # the loss of its paper, from `loss.LOSSES`
    foldable: bool = False  # whether `folded` has something quicker

    def folded(self, *, always: bool = False) -> tuple[nn.Module, str] | None:
        """A network that computes the same from fixed weights, only quicker.

        Args:
            always: even where it is large.

        Returns:
            The same inputs to the same logits, and the graph's name for bundle.json; None where nothing pays.
        """
        return None

    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Sets what is measured on training inputs instead of learned from them; most networks have no such thing.

        Args:
            batches: some inputs, [batch, ...] each, as `forward` takes them; made only when they are asked for.
        """

    def fit_at_once(self, examples: Iterable[np.ndarray], truth: np.ndarray, weights: np.ndarray | None) -> None:
        """Sets what needs no steps from the training examples, before the first of them; for most networks nothing.

        Args:
            examples: as the reader gave them; read only when they are asked for, each time anew.
            truth: their classes' numbers, [count].
            weights: how much each counts, [count]; None where all count alike.
        """

    def training_loss(self, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        """One forward pass of a training.

        Args:
            x: a batch, [batch, ...], as `forward` takes it.
            truth: the true classes' numbers, [batch]; where examples are mixed, what each class has of them, [batch,
                classes], which only networks whose own loss is cross-entropy are given.
            criterion: how wrong logits are; it works in float32, whatever the precision of the rest.

        Returns:
            The logits, [batch, classes], and what is to become small, one number.
        """
        logits: Tensor = self(x)
        return logits, criterion(logits, truth)


class Backbone(Network, ABC):
    """A network in two parts: `features` finds what is there, `head` decides what it means.

    A subclass has both, as children or as properties that chain children with other names (so that the names of the
    weights can be a published file's), and says how to change the number of classes.
    """

    own_size: ClassVar[tuple[int, ...]]  # the input size of its paper, without batch and channels
    own_classes: ClassVar[int]  # those of its paper's data; pictures have ImageNet's or CIFAR-10's, by their size

    if TYPE_CHECKING:  # no property at run time: it would hide a child called `features`

        @property
        def features(self) -> nn.Module: ...

        @property
        def head(self) -> nn.Module: ...

    @abstractmethod
    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...], normalised, to logits [batch, classes]."""
        return self.head(self.features(x))  # type: ignore[no-any-return]
