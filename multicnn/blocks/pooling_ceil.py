"""Maximum pooling that rounds up, as Caffe's did, and with it the networks that were trained there."""

from torch import Tensor

from multicnn.blocks.pooling import MAX_POOL, MaxPool


class CeilMaxPool(MaxPool):
    """`MaxPool` whose last window may reach over the end, so no row is lost: ceil((W - F + 2 P) / S) + 1 places."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...]."""
        return MAX_POOL[self.dims](x, self.kernel, self.stride, self.padding, ceil_mode=True)
