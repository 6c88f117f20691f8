"""Maximum pooling that rounds up, as Caffe's did, and with it the networks that were trained there."""

from torch import Tensor

from multicnn.blocks.pooling import MAX_POOL, MaxPool


class CeilMaxPool(MaxPool):
    """`MaxPool` whose last window may reach over the end, so no row is lost.

    Each axis has ceil((W - F + 2 P) / S) + 1 places, and one less where the last would begin in the border, at W + P or
    behind it: F = 2, S = 3, P = 1 on W = 7 gives 3, not 4.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...]."""
        return MAX_POOL[self.dims](x, self.kernel, self.stride, self.padding, ceil_mode=True)
