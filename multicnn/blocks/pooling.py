"""Pooling: many neighbouring answers become one."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.arithmetic import Size, per_axis
from multicnn.blocks.windows import windows


def _max_pool1d(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], *, ceil_mode: bool = False
) -> Tensor:
    """torch's own, but as an image that is 1 wide: an export of torch's has no free length."""
    y = functional.max_pool2d(x[..., None], (*kernel, 1), (*stride, 1), (*padding, 0), ceil_mode=ceil_mode)
    return y[..., 0]


MAX_POOL: dict[int, Callable[..., Tensor]] = {1: _max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE_POOL = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


class WindowPool(nn.Module):
    """What maximum and average pooling share: a window that slides over each channel by itself.

    Args:
        kernel: the window's extent, one number or one for each axis.
        stride: its step; the window's own extent where it is left out, so that windows do not overlap.
        padding: how far the window may reach over the border.
        dims: over how many axes it slides: 1, 2 or 3.
    """

    def __init__(self, kernel: Size, stride: Size | None = None, padding: Size = 0, *, dims: int = 2) -> None:
        super().__init__()
        if dims not in MAX_POOL:
            raise ValueError(f"pooling slides over 1, 2 or 3 axes, not {dims}")
        self.dims = dims
        self.kernel = per_axis(kernel, dims)
        self.stride = self.kernel if stride is None else per_axis(stride, dims)
        self.padding = per_axis(padding, dims)
        if min(*self.kernel, *self.stride) < 1:
            raise ValueError(f"a pooling window and its step are at least 1, not {self.kernel} and {self.stride}")
        if any(not 0 <= 2 * reach <= extent for reach, extent in zip(self.padding, self.kernel, strict=True)):
            raise ValueError(f"a window of {self.kernel} reaches over the border by half at most, not {self.padding}")

    def points(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to what lies under each window, [batch, channels, points, ...]; zeros outside."""
        x = functional.pad(x, [end for padding in reversed(self.padding) for end in (padding, padding)])
        return windows(x, self.kernel, self.stride, (1,) * self.dims)

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}, padding={self.padding}"


class MaxPool(WindowPool):
    """Keeps the largest value under the window: was the feature seen anywhere here?

    Ranzato et al. 2007, "Unsupervised Learning of Invariant Feature Hierarchies". The border counts as minus infinity.
    With a stride below the kernel the windows overlap: Krizhevsky et al. 2012, "ImageNet Classification with Deep
    Convolutional Neural Networks", section 3.4, with MaxPool(3, 2).
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis as in `arithmetic.output_size`."""
        return MAX_POOL[self.dims](x, self.kernel, self.stride, self.padding)


class AveragePool(WindowPool):
    """Keeps the mean under the window: how strong was the feature on the whole?

    LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition".

    Args:
        kernel, stride, padding, dims: as in `WindowPool`.
        count_border: whether places outside count as zeros, or not at all.
    """

    def __init__(
        self,
        kernel: Size,
        stride: Size | None = None,
        padding: Size = 0,
        *,
        count_border: bool = True,
        dims: int = 2,
    ) -> None:
        super().__init__(kernel, stride, padding, dims=dims)
        self.count_border = count_border

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis as in `arithmetic.output_size`."""
        return AVERAGE_POOL[self.dims](x, self.kernel, self.stride, self.padding, count_include_pad=self.count_border)


class GlobalAveragePool(nn.Module):
    """Each channel becomes its mean, so that inputs of any size give a vector of one length.

    Lin et al. 2013, "Network in Network", section 3.2.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Averages over all axes after the channels.

        Args:
            x: [batch, channels, ...].
            mask: True where x is real and not padding, [batch, ...].

        Returns:
            [batch, channels]; zeros where nothing is real.
        """
        if mask is None:
            return x.flatten(2).mean(-1)
        real = mask.flatten(1)[:, None]
        total = x.flatten(2).masked_fill(~real, 0.0).sum(-1)
        return total / real.sum(-1).clamp(min=1)


class GlobalMaxPool(nn.Module):
    """Each channel becomes its largest value; over time this is the 1-max pooling of sentences.

    Collobert et al. 2011, "Natural Language Processing (Almost) from Scratch", section 3.3.2.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Takes the maximum over all axes after the channels.

        Args:
            x: [batch, channels, ...].
            mask: True where x is real and not padding, [batch, ...].

        Returns:
            [batch, channels]; zeros where nothing is real.
        """
        if mask is None:
            return x.flatten(2).amax(-1)
        real = mask.flatten(1)[:, None]
        largest = x.flatten(2).masked_fill(~real, -torch.inf).amax(-1)
        return largest.masked_fill(~real.any(-1), 0.0)


class KMaxPool(nn.Module):
    """Each channel becomes its k largest values, in the order in which they stood; of equal ones the first.

    It tells how often a feature occurs and in what order, where 1-max pooling tells only that it does.
    Kalchbrenner et al. 2014, "A Convolutional Neural Network for Modelling Sentences", section 3.2.

    Args:
        k: how many values stay, at least 1.
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        if k < 1:
            raise ValueError(f"k-max pooling keeps at least one value, not k={k}")
        self.k = k

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pools over the last axis.

        Args:
            x: [batch, channels, time].
            mask: True where x is real and not padding, [batch, time].

        Returns:
            [batch, channels, k]; zeros follow where fewer than k steps are real.
        """
        mask = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
        return k_largest(x, mask, mask.sum(-1).clamp(max=self.k), self.k)

    def extra_repr(self) -> str:
        return f"k={self.k}"


def k_largest(x: Tensor, mask: Tensor, counts: Tensor, most: int) -> Tensor:
    """Each channel's largest values in the order in which they stood; so many as the sequence may keep.

    Behind a rectifier many values are equal zeros. Engines choose among equals as they like, and here the earliest win,
    so that an exported network, and one with more padding, gives the same.

    Args:
        x: [batch, channels, time].
        mask: True where x is real and not padding, [batch, time].
        counts: how many values each sequence keeps, no more than its real steps, [batch].
        most: the largest number that a sequence may keep.

    Returns:
        [batch, channels, most]; zeros follow where a sequence keeps less.
    """
    counts = counts[:, None, None]
    x = functional.pad(x.masked_fill(~mask[:, None], -torch.inf), (0, most), value=-torch.inf)
    ranked = x.topk(most).values
    last = ranked.gather(-1, (counts - 1).clamp(min=0).expand(-1, x.shape[1], 1))
    above = x > last
    equal = ~(above | (x < last))  # or no number at all, which has to show
    kept = above | (equal & (equal.cumsum(-1) <= counts - above.sum(-1, keepdim=True)))
    steps = torch.arange(x.shape[-1], device=x.device)
    places = torch.where(kept, steps, x.shape[-1] - 1).topk(most, largest=False).values  # from the first to the last
    return x.gather(-1, places).masked_fill(torch.arange(most, device=x.device) >= counts, 0.0)
