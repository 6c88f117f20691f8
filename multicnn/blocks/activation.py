"""Activations by name: what makes a stack of linear layers more than one linear layer."""

from collections.abc import Callable

from torch import nn

from multicnn.errors import did_you_mean

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,  # Nair and Hinton 2010: max(0, x)
    "tanh": nn.Tanh,  # LeCun et al. 1998
    "elu": nn.ELU,  # Clevert et al. 2015: x, or exp(x) - 1 below zero
    "gelu": nn.GELU,  # Hendrycks and Gimpel 2016: x times the normal distribution's Phi(x)
    "silu": nn.SiLU,  # Elfwing et al. 2017: x times its sigmoid
}


def activation(name: str) -> nn.Module:
    """A new activation layer.

    Raises:
        ValueError: a name that is not in the table.
    """
    if name not in ACTIVATIONS:
        raise ValueError(
            f"there is no activation {name}{did_you_mean(name, ACTIVATIONS) or ': ' + ', '.join(ACTIVATIONS)}"
        )
    return ACTIVATIONS[name]()
