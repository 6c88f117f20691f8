"""Maximum pooling of padded sequences of any length."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.pooling import MaxPool


class SequenceMaxPool(nn.Module):
    """Keeps the largest value of neighbouring steps, as `MaxPool` does; padding is never a winner.

    Args:
        kernel: the window's extent.
        stride: its step, at most the extent.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        if not 1 <= stride <= kernel:
            raise ValueError(
                f"a pooling window and its step are at least 1, and no gap is left, not {kernel} and {stride}"
            )
        self.kernel, self.stride = kernel, stride
        self.pool = MaxPool(kernel, stride, dims=1)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pools over the last axis.

        Args:
            x: [batch, channels, time].
            mask: True where x is real, [batch, time]; padding lies behind the real steps.

        Returns:
            [batch, channels, ceil(time / stride)], zero where it is padding, and where it is real: a window lies around
            step 0, stride, 2 stride, ..., and is real where that step is.
        """
        before = (self.kernel - 1) // 2
        x = functional.pad(x.masked_fill(~mask[:, None], -torch.inf), (before, self.kernel), value=-torch.inf)
        mask = mask[:, :: self.stride]
        largest = self.pool(x)[..., : mask.shape[1]]
        return largest.masked_fill(~mask[:, None], 0.0), mask

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"
