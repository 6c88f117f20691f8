"""A classifier as one graph: front end, network, softmax."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn

from multicnn.blocks.backbone import Network


class Views(Protocol):
    """Several views of each example, and what their answers come to."""

    def __len__(self) -> int:
        """How many views of an example there are."""
        ...

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
    """What is exported: a classifier with the softmax behind it, and the layers that can be looked at by name.

    Args:
        model: the classifier.
        network: gives logits, [batch, classes]; has a `head`: the classifier's own, or a form of it.
    """

    def __init__(self, model: Classifier, network: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.network = network

    def layers(self, x: Tensor) -> dict[str, Tensor]:
        """From a reader's batch to what is made of it.

        Returns:
            `probabilities`, [batch, classes]; each row sums to 1. `frontend`, what the network sees, where that is not
            the batch itself. `penultimate`, what the last layer with weights decides on; of several views in the first,
            which is the input as it is.
        """
        seen = self.model.frontend(x)
        decided_on: list[Tensor] = []
        hook = last_layer(self.network).register_forward_pre_hook(lambda _, inputs: decided_on.append(inputs[0]))
        logits = self.model.answer(seen, self.network)
        hook.remove()
        found = {"probabilities": logits.softmax(dim=1)}
        if seen is not x:
            found["frontend"] = seen
        if decided_on and decided_on[-1] is not seen:
            found["penultimate"] = decided_on[-1] if self.model.views is None else decided_on[-1][: x.shape[0]]
        return found

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The same without names."""
        return tuple(self.layers(x).values())


def last_layer(network: nn.Module) -> nn.Module:
    """The last layer with weights of two axes or more, which gives the logits: the head's, or else the features'."""
    for part in (network.head, network):
        assert isinstance(part, nn.Module)
        weighted = [one for one in part.modules() if any(weight.ndim > 1 for weight in one.parameters(recurse=False))]
        if weighted:
            return weighted[-1]
    raise ValueError(f"{type(network).__name__} has no layer with weights")
