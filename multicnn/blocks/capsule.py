"""Capsules: a vector says that something is there by its length, and how it lies by its direction."""

import math

import torch
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding
from multicnn.blocks.precision import widened


def squash(x: Tensor, dim: int = -1) -> Tensor:
    """Shrinks vectors to a length below 1 and keeps their direction: (|x|² / (1 + |x|²)) x / |x|.

    Sabour et al. 2017, "Dynamic Routing Between Capsules", equation 1.

    Args:
        x: vectors along one axis.
        dim: that axis.
    """
    wide = widened(x)
    square = wide.square().sum(dim, keepdim=True)
    length = square.clamp(min=torch.finfo(square.dtype).tiny).sqrt()  # the root's slope is infinite at 0
    return (wide * (length / (1 + square))).to(x.dtype)


class PrimaryCapsules(nn.Module):
    """A convolution whose channels are bundled into vectors, at each place: the lowest capsules.

    Sabour et al. 2017, section 4. In the paper 32 capsules of 8 numbers at each of 6 x 6 places.

    Args:
        channels_in: the input's channels.
        capsules: how many kinds of capsules there are at each place.
        length: how many numbers a capsule has.
        kernel, stride, padding, dims: as in `Convolution`.

    Raises:
        ValueError: no capsules, or sizes that make no filter.
    """

    def __init__(
        self,
        channels_in: int,
        capsules: int = 32,
        length: int = 8,
        kernel: Size = 9,
        *,
        stride: Size = 2,
        padding: Padding = "valid",
        dims: int = 2,
    ) -> None:
        super().__init__()
        if min(capsules, length) < 1:
            raise ValueError(f"there is 1 capsule of 1 number or more at each place, not {capsules} of {length}")
        self.length = length
        self.conv = Convolution(channels_in, capsules * length, kernel, stride=stride, padding=padding, dims=dims)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, capsules * places, length], kind by kind, place by place."""
        answers = self.conv(x).flatten(2).unflatten(1, (-1, self.length))
        return squash(answers.transpose(2, 3).flatten(1, 2).to(self.conv.weight.dtype))


class DynamicRouting(nn.Module):
    """Each capsule predicts all capsules above it, and gives its voice to those that the others agree with it about.

    Sabour et al. 2017, procedure 1. The transformations begin so small that, with voices spread evenly, a capsule's
    length before squashing is about that of those below.

    Args:
        capsules_in: how many capsules there are below.
        length_in: how many numbers each of them has.
        capsules_out: how many there are above, such as the classes.
        length_out: how many numbers each of these has.
        iterations: r, how often agreement is looked for; 1 spreads each voice evenly.

    Raises:
        ValueError: no iterations, or no capsules.
    """

    def __init__(
        self, capsules_in: int, length_in: int, capsules_out: int, length_out: int, *, iterations: int = 3
    ) -> None:
        super().__init__()
        if iterations < 1:
            raise ValueError(f"routing takes at least one iteration, not {iterations}")
        if min(capsules_in, length_in, capsules_out, length_out) < 1:
            sizes = f"{capsules_in} x {length_in} to {capsules_out} x {length_out}"
            raise ValueError(f"routing leads from capsules to capsules, each of 1 number or more, not from {sizes}")
        self.iterations = iterations
        self.weight = nn.Parameter(torch.empty(capsules_in, capsules_out, length_out, length_in))
        nn.init.normal_(self.weight, std=capsules_out / math.sqrt(capsules_in * length_out))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, capsules_in, length_in] to [batch, capsules_out, length_out], each vector shorter than 1.

        It keeps the precision of its own weights under autocast: sums of exponentials of sums need it.
        """
        kind = x.device.type
        if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
            return self._route(x)
        with torch.autocast(kind, enabled=False):
            return self._route(x.to(self.weight.dtype))

    def _route(self, x: Tensor) -> Tensor:
        predicted = torch.einsum("iomn,bin->biom", self.weight, x)
        agreement = predicted.new_zeros(predicted.shape[:3])
        above = self._above(predicted, agreement)
        for _ in range(self.iterations - 1):
            agreement = agreement + torch.einsum("biom,bom->bio", predicted, above)
            above = self._above(predicted, agreement)
        return above

    def _above(self, predicted: Tensor, agreement: Tensor) -> Tensor:
        """The capsules above, when each one below spreads its voice by its agreement with them."""
        return squash(torch.einsum("bio,biom->bom", agreement.softmax(2), predicted))

    def extra_repr(self) -> str:
        capsules_in, capsules_out, length_out, length_in = self.weight.shape
        return f"{capsules_in} x {length_in}, {capsules_out} x {length_out}, iterations={self.iterations}"


class LogLength(nn.Module):
    """The logarithm of each capsule's length: logits whose softmax is each length's share of all lengths."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, capsules, length] to [batch, capsules], from about -14 (no length at all) to 0."""
        return 0.5 * x.square().sum(-1).clamp(min=1e-12).log()
