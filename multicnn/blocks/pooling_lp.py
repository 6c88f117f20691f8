"""Pooling between the mean and the maximum: sums, norms and generalised means."""

import math

import torch
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.pooling import AVERAGE_POOL, WindowPool
from multicnn.blocks.precision import widened


class SumPool(WindowPool):
    """Adds up the values under the window: how much of the feature is there?

    Unlike the mean it grows with the number of answers. LeCun et al. 1998, "Gradient-Based Learning Applied to Document
    Recognition", section II.B, where a learned factor follows. The border counts as zeros.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis as in `arithmetic.output_size`."""
        return AVERAGE_POOL[self.dims](x, self.kernel, self.stride, self.padding) * math.prod(self.kernel)


class LpPool(WindowPool):
    """The p-norm of what lies under the window: (sum of |x|^p)^(1/p), a bridge from the sum (p = 1) to the maximum.

    Sermanet et al. 2012, "Convolutional Neural Networks Applied to House Numbers Digit Classification",
    with equal weights in the window. The border counts as zeros.

    Args:
        p: the norm's power, at least 1; 2 is L2 pooling.
        kernel, stride, padding, dims: as in `WindowPool`.
    """

    def __init__(self, p: float, kernel: Size, stride: Size | None = None, padding: Size = 0, *, dims: int = 2) -> None:
        super().__init__(kernel, stride, padding, dims=dims)
        if not 1 <= p < math.inf:
            raise ValueError(f"the power of a norm is 1 or more and finite, not p={p}; MaxPool is its limit")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis as in `arithmetic.output_size`."""
        values = self.points(x.abs())
        largest = values.detach().amax(2, keepdim=True)
        nothing = largest == 0  # a root is infinitely steep there
        unit = largest.masked_fill(nothing, 1.0)  # in units of the largest value no power leaves the range of numbers
        total = (values / unit).pow(self.p).sum(2, keepdim=True)
        norm = total.masked_fill(nothing, 1.0).pow(1 / self.p).masked_fill(nothing, 0.0) * unit
        return norm.squeeze(2)

    def extra_repr(self) -> str:
        return f"p={self.p}, {super().extra_repr()}"


class GeneralisedMean(nn.Module):
    """Each channel becomes (mean of x^p)^(1/p), and p is learned: 1 is the mean, infinity the maximum.

    The network itself finds out whether it matters more that a feature is seen often or that it is seen well.
    Radenovic et al. 2018, "Fine-tuning CNN Image Retrieval with No Human Annotation", equation 3.

    Args:
        channels: how many powers there are, one for each channel; one for all where it is left out.
        p: the power at the start.
        smallest: values below it count as it, for a power needs positive ones.
    """

    def __init__(self, channels: int | None = None, *, p: float = 3.0, smallest: float = 1e-6) -> None:
        super().__init__()
        if p <= 0 or smallest <= 0:
            raise ValueError(f"the power and the smallest value are above 0, not p={p} and smallest={smallest}")
        self.p = nn.Parameter(torch.full((1 if channels is None else channels, 1), float(p)))
        self.smallest = smallest

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pools over all axes after the channels.

        Args:
            x: [batch, channels, ...].
            mask: True where x is real and not padding, [batch, ...].

        Returns:
            [batch, channels]; zeros where nothing is real.
        """
        real = torch.ones_like(x[:, :1], dtype=torch.bool).flatten(2) if mask is None else mask.flatten(1)[:, None]
        powers = self.p * widened(x.flatten(2)).clamp(min=self.smallest).log()  # as logarithms, which do not overflow
        nothing = ~real.any(-1)
        total = powers.masked_fill(~real, -torch.inf).logsumexp(-1).masked_fill(nothing, 0.0)
        mean = (total - real.sum(-1).clamp(min=1).to(total.dtype).log()) / self.p[:, 0]
        return mean.exp().masked_fill(nothing, 0.0).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{len(self.p)} powers"
