"""Pooling with a border on which the outputs' number is ceil(W / S)."""

from torch import Tensor, nn

from multicnn.blocks.convolution import surround
from multicnn.blocks.pooling import WindowPool


class SamePool(nn.Module):
    """A pooling whose windows reach over the border as far as `:same` needs, the larger half behind.

    Args:
        pool: without a padding of its own.
        border: what lies outside: minus infinity for maxima, else 0.
    """

    def __init__(self, pool: WindowPool, border: float) -> None:
        super().__init__()
        self.pool = pool
        self.border = border

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same, each axis ceil(W / S)."""
        ones = (1,) * self.pool.dims
        y: Tensor = self.pool(surround(x, None, self.pool.kernel, self.pool.stride, ones, self.border))
        return y
