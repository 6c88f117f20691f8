"""Squeeze and excitation: the whole picture decides which channels count."""

import torch
from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.pooling import GlobalAveragePool


class SqueezeExcitation(nn.Module):
    """Weighs each channel by a number from 0 to 1 that a small network finds from all channels' means.

    Filters see only a patch; here what is seen anywhere can strengthen or silence them. Hu et al. 2017,
    "Squeeze-and-Excitation Networks", equations 2 to 4; the names of the weights are torchvision's.

    Args:
        channels: the input's channels.
        reduction: r, how many times fewer numbers the small network has in its middle; at least one stays.
        dims: 1, 2 or 3.

    Raises:
        ValueError: a reduction below 1.
    """

    def __init__(self, channels: int, reduction: int = 16, *, dims: int = 2) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"channels can be reduced 1 times or more, not {reduction}")
        middle = max(channels // reduction, 1)
        self.squeeze = GlobalAveragePool()
        self.fc1 = Convolution(channels, middle, 1, dims=dims)
        self.fc2 = Convolution(middle, channels, 1, dims=dims)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Weighs the channels.

        Args:
            x: [batch, channels, ...].
            mask: True where x is real and not padding, [batch, ...]; only such places count in the means.

        Returns:
            The same shape.
        """
        means = self.squeeze(x, mask).view(*x.shape[:2], *[1] * (x.dim() - 2))
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))
