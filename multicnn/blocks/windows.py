"""A convolution as a product of matrices: every patch becomes a column (im2col)."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from multicnn.blocks.arithmetic import output_size


def windows(x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """What lies under a sliding window at each of its places.

    Chellapilla et al. 2006, "High Performance Convolutional Neural Networks for Document Processing", section 3.1.

    Args:
        x: [batch, channels, ...].
        kernel, stride, dilation: the window's, a number for each axis.

    Returns:
        [batch, channels, points, ...]: the window's points, the last axis fastest, then the places.
    """
    places = [output_size(w, f, 0, s, d) for w, f, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)]
    shifted = []
    for point in product(*map(range, kernel)):
        firsts = [p * d for p, d in zip(point, dilation, strict=True)]
        cuts = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(firsts, places, stride, strict=True)]
        shifted.append(x[(slice(None), slice(None), *cuts)])
    return torch.stack(shifted, dim=2)


def convolve_each(
    x: Tensor, weight: Tensor, stride: Sequence[int], dilation: Sequence[int], bias: Tensor | None = None
) -> Tensor:
    """A convolution in which each example has filters of its own.

    Args:
        x: [batch, channels_in, ...].
        weight: [batch, channels_out, channels_in, *kernel].
        stride, dilation: a number for each axis.
        bias: [batch, channels_out].

    Returns:
        [batch, channels_out, ...].
    """
    patches = windows(x, weight.shape[3:], stride, dilation)
    y = weight.flatten(2) @ patches.flatten(3).flatten(1, 2)
    if bias is not None:
        y = y + bias[..., None]
    return y.reshape(*y.shape[:2], *patches.shape[3:])
