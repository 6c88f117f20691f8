"""Maximum pooling of padded sequences of any length."""

from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional


class SequenceMaxPool(nn.Module):
    """Keeps the largest value of neighbouring steps, as `MaxPool` does; padding is never a winner.

    It is written with slices, because torch.export fixes the length of what torch's own 1-D pooling is given.

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
        reach = self.stride * (mask.shape[1] - 1) + 1
        largest = reduce(torch.maximum, (x[:, :, at : at + reach : self.stride] for at in range(self.kernel)))
        return largest.masked_fill(~mask[:, None], 0.0), mask

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"
