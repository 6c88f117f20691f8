"""The hidden layers of fully connected heads."""

from torch import nn


def hidden_layer(inputs: int, neurons: int) -> nn.Linear:
    """A linear layer that starts as He et al. 2015 have it, for the rectifier behind it keeps half of the signal.

    "Delving Deep into Rectifiers", equation 10: PyTorch's own start lets the signal fade, so that plain deep networks
    learn late.
    """
    layer = nn.Linear(inputs, neurons)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer
