"""A classifier as one graph: front end, network, softmax."""

from torch import Tensor, nn

from multicnn.blocks.backbone import Network


class Classifier(nn.Module):
    """From a reader's batch to logits, so that an exported model needs nothing around it.

    Args:
        frontend: a reader's batch to what the network takes: normalisation, a spectrogram, or nothing.
        network: that to logits, [batch, classes].
    """

    def __init__(self, frontend: nn.Module, network: Network) -> None:
        super().__init__()
        self.frontend = frontend
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """A reader's batch to logits, [batch, classes]."""
        logits: Tensor = self.network(self.frontend(x))
        return logits


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
