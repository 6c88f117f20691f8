"""Pooling: many neighbouring answers become one."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.arithmetic import Size, per_axis

MAX_POOL = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
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
    """Each channel becomes its k largest values, in the order in which they stood.

    It tells how often a feature occurs and in what order, where 1-max pooling tells only that it does.
    Kalchbrenner et al. 2014, "A Convolutional Neural Network for Modelling Sentences", section 3.3.

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
        nothing = -torch.inf  # loses against every real value, and marks what has to become zero
        if mask is not None:
            x = x.masked_fill(~mask[:, None], nothing)
        x = functional.pad(x, (0, self.k), value=nothing)  # there are k steps to choose even from a short input
        places = x.topk(self.k).indices.sort().values
        chosen = x.gather(-1, places)
        return chosen.masked_fill(chosen == nothing, 0.0)

    def extra_repr(self) -> str:
        return f"k={self.k}"
