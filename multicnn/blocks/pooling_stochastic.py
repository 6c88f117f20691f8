"""Pooling by chance: in training a random answer of the window, in use the one to be expected."""

import torch
from torch import Tensor

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.pooling import AVERAGE_POOL, MAX_POOL, WindowPool
from multicnn.blocks.precision import widened


class StochasticPool(WindowPool):
    """In training draws one value of each window, the large ones more often; in use takes their weighted mean.

    A value is drawn with the probability that is its share of the window's sum. So weaker answers train the network
    too, and it learns nothing by heart. Zeiler and Fergus 2013, "Stochastic Pooling for Regularization of Deep
    Convolutional Neural Networks", section 3. It belongs behind a rectifier: values below 0 count as 0, and so
    does the border.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis as in `arithmetic.output_size`."""
        x = x.relu()
        if self.training:
            values = self.points(x)
            # Divided by exponential noise, each value wins with the probability that is its share.
            noise = torch.empty_like(widened(values)).exponential_()
            winner = (values / noise).argmax(2, keepdim=True)
            return values.gather(2, winner).squeeze(2)
        pool, shape, wide = AVERAGE_POOL[self.dims], (self.kernel, self.stride, self.padding), widened(x)
        mean = pool(wide, *shape)
        return (pool(wide * wide, *shape) / mean.masked_fill(mean == 0, 1.0)).to(x.dtype)


class MaxPoolDropout(WindowPool):
    """In training the maximum of what dropout leaves of the window; in use the mean of all maxima that may come out.

    With the share q dropped, the window's i-th largest value is the maximum with probability (1 - q) q^(i - 1). Wu and
    Gu 2015, "Towards Dropout Training for Convolutional Neural Networks". It belongs behind a rectifier: values
    below 0 count as 0, and so do the border and a window of which nothing is left.

    Args:
        kernel, stride, padding, dims: as in `WindowPool`.
        p: the share q that is dropped, from 0 to below 1.
    """

    def __init__(
        self, kernel: Size, stride: Size | None = None, padding: Size = 0, *, p: float = 0.5, dims: int = 2
    ) -> None:
        super().__init__(kernel, stride, padding, dims=dims)
        if not 0 <= p < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis as in `arithmetic.output_size`."""
        x = x.relu()
        if self.training:
            left = x * (torch.rand_like(x) >= self.p)
            return MAX_POOL[self.dims](left, self.kernel, self.stride, self.padding)
        values = self.points(x).sort(2, descending=True).values
        chances = x.new_tensor([(1 - self.p) * self.p**i for i in range(values.shape[2])])
        return (values * chances.view(-1, *[1] * self.dims)).sum(2)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"
