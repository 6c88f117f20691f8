"""A classifier as one graph: front end, network, softmax."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn

from multicnn.blocks.backbone import Network


class Views(Protocol):
    """Several views of each example, and what their answers come to."""

    def __call__(self, seen: Tensor) -> Tensor:
        """A batch to [views x batch, ...], view by view."""
        ...

    def mean(self, logits: Tensor) -> Tensor:
        """[views x batch, classes] to [batch, classes]."""
        ...


class Classifier(nn.Module):
    """From a reader's batch to logits, so that an exported model needs nothing around it.

    Args:
        frontend: a reader's batch to what the network takes: normalisation, a spectrogram, or nothing.
        network: that to logits, [batch, classes].
        views: in prediction, several views of each example are answered, and their mean is the answer.
    """

    def __init__(self, frontend: nn.Module, network: Network, views: Views | None = None) -> None:
        super().__init__()
        self.frontend = frontend
        self.network = network
        self.views = views

    def forward(self, x: Tensor) -> Tensor:
        """A reader's batch to logits, [batch, classes]."""
        return self.answer(self.frontend(x), self.network)

    def answer(self, seen: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        """As in prediction: the mean of the views, where there are any.

        Args:
            seen: what the front end gives, [batch, ...].
            network: that to logits; the classifier's own, or a form of it.

        Returns:
            Logits, [batch, classes].
        """
        return network(seen) if self.views is None else self.views.mean(network(self.views(seen)))


class Probabilities(nn.Module):
    """What is exported: a classifier with the softmax behind it.

    Args:
        model: gives logits, [batch, classes].
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """A reader's batch to probabilities, [batch, classes]; each row sums to 1."""
        logits: Tensor = self.model(x)
        return logits.softmax(dim=1)
