"""Activations by name: what makes a stack of linear layers more than one linear layer."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.errors import did_you_mean


class ShiftedReLU(nn.Module):
    """max(-1, x): rectified, but with a mean nearer to 0. Clevert et al. 2015, section 4, where ELUs beat it."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return x.clamp(min=-1.0)


class LearnedELU(nn.Module):
    """x above zero, and a (exp(x) - 1) below, where the network learns a.

    Clevert et al. 2015, "Fast and Accurate Deep Network Learning by Exponential Linear Units", section 3, where a is
    fixed. Trottier et al. 2016, "Parametric Exponential Linear Unit", learn it too, with a second number b: their unit
    is (a / b) x above zero, has no bend at 0, and keeps both positive. This one leaves x alone above zero, bends at 0
    once a is not 1, and does not hold a back: at 0 it is a ReLU, and below 0 it rises on the left too.

    Args:
        a: at the start; below zero the answer never falls under -a.
    """

    def __init__(self, a: float = 1.0) -> None:
        super().__init__()
        if a <= 0:
            raise ValueError(f"an ELU bends down to -a, so a is above 0, not {a}")
        self.a = nn.Parameter(torch.tensor(float(a)))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        above = x > 0
        below = self.a * torch.expm1(x.masked_fill(above, 0.0))  # exp of what is not used would overflow
        return torch.where(above, x, below)


class GLU(nn.Module):
    """Half of the channels, each multiplied by the sigmoid of one of the other half: a gate that can close.

    Dauphin et al. 2016, "Language Modeling with Gated Convolutional Networks", equation 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 2 * channels, ...] to [batch, channels, ...].

        Raises:
            ValueError: an odd number of channels.
        """
        if x.shape[1] % 2:
            raise ValueError(f"a gate needs as many channels as it lets through, and {x.shape[1]} is odd")
        return functional.glu(x, dim=1)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,  # Nair and Hinton 2010: max(0, x)
    "leaky_relu": nn.LeakyReLU,  # Maas et al. 2013: x, or 0.01 x below zero, so that no unit dies
    "shifted_relu": ShiftedReLU,
    "tanh": nn.Tanh,  # LeCun et al. 1998
    "sigmoid": nn.Sigmoid,  # Rumelhart et al. 1986: 1 / (1 + exp(-x))
    "softplus": nn.Softplus,  # Dugas et al. 2001: log(1 + exp(x)), a smooth ReLU
    "elu": nn.ELU,  # Clevert et al. 2015: x, or exp(x) - 1 below zero
    "learned_elu": LearnedELU,
    "gelu": nn.GELU,  # Hendrycks and Gimpel 2016: x times the normal distribution's Phi(x)
    "silu": nn.SiLU,  # Elfwing et al. 2017: x times its sigmoid
}

# They halve the channels, so the layer before them has to give twice as many.
GATES: dict[str, Callable[[], nn.Module]] = {"glu": GLU}


def activation(name: str, *, gates: bool = False) -> nn.Module:
    """A new activation layer.

    Args:
        name: from the table.
        gates: whether it may be one that halves the channels.

    Raises:
        ValueError: a name that is not in the table, or a gate where none may be.
    """
    table = ACTIVATIONS | GATES if gates else ACTIVATIONS
    if name in GATES and not gates:
        raise ValueError(f"{name} halves the channels, and here they have to stay; {', '.join(ACTIVATIONS)} keep them")
    if name not in table:
        raise ValueError(f"there is no activation {name}{did_you_mean(name, table) or ': ' + ', '.join(table)}")
    return table[name]()
