"""Dropout: no unit may rely on another one."""

from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Module):
    """In training, sets each value to zero with probability p and scales up the rest; in use, does nothing.

    It trains many thinned networks at once and uses their average. Srivastava et al. 2014, "Dropout: A Simple Way to
    Prevent Neural Networks from Overfitting".

    Args:
        p: the share that is dropped, from 0 to below 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return functional.dropout(x, self.p, self.training) if self.p else x

    def extra_repr(self) -> str:
        return f"p={self.p}"


class SpatialDropout(Dropout):
    """In training, drops whole channels of an example; the rest is scaled up.

    Neighbouring places of a map say nearly the same, so dropping single ones takes little away. Tompson et al. 2015,
    "Efficient Object Localization Using Convolutional Networks", section 3.2.

    Args:
        p: the share of the channels that is dropped, from 0 to below 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same shape."""
        return x * _kept(x, 2, self.p) if self.p and self.training else x


class StochasticDepth(Dropout):
    """In training, leaves out a residual block's branch for some of the examples; in use, does nothing.

    It stands at the end of the branch, before the sum: short networks are trained, the deep one is used. Huang et al.
    2016, "Deep Networks with Stochastic Depth", equation 2. Where the paper scales down in use, this scales up in
    training, so that an exported model has no trace of it.

    Args:
        p: the share of the examples whose branch is dropped, from 0 to below 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, ...] to the same shape."""
        return x * _kept(x, 1, self.p) if self.p and self.training else x


def depth_share(block: int, blocks: int, last: float = 0.5) -> float:
    """The share p for block 1 to `blocks` of a network with stochastic depth, growing evenly up to the last one's.

    The first layers are needed by all others, so they are dropped least. Huang et al. 2016, equation 4.

    Raises:
        ValueError: a block that is none of them.
    """
    if not 1 <= block <= blocks:
        raise ValueError(f"block {block} is none of the blocks 1 to {blocks}")
    return block / blocks * last


def _kept(x: Tensor, axes: int, p: float) -> Tensor:
    """Zeros with probability p and 1 / (1 - p) otherwise, one number for each index of the first axes of x."""
    return functional.dropout(x.new_ones(*x.shape[:axes], *[1] * (x.ndim - axes)), p)
