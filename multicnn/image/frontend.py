"""The first layer of every image graph: pixels to normalised channels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ImageFrontEnd(nn.Module):
    """Turns the reader's pixels into what the backbone was made for: (x / 255 - mean) / std, channel by channel.

    It travels inside the exported graph, so an image is normalised in prediction as it was in training.

    Args:
        mean: per channel, on the scale 0 to 1.
        std: per channel, on the same scale, above 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != len(std):
            raise ValueError(f"as many means as standard deviations, not {len(mean)} and {len(std)}")
        if min(std) <= 0:
            raise ValueError(f"standard deviations are above 0, not {list(std)}")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises in float32, whatever the precision of the rest.

        Args:
            x: pixels 0 to 255, uint8 or float, [batch, height, width, channels].

        Returns:
            float32 [batch, channels, height, width]. The memory order stays the reader's, which is channels-last.
        """
        # The scale and the shift as two constants: one multiplication and one addition for every pixel.
        scale = 1.0 / (255.0 * self.std)
        return (x.float() * scale - self.mean / self.std).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"mean={self.mean.tolist()}, std={self.std.tolist()}"
