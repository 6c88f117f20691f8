"""The first layer of every image graph: pixels to normalised channels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from multicnn.image.color import SPACES, ColorSpace


class ImageFrontEnd(nn.Module):
    """Turns the reader's pixels into what the backbone was made for: (x - mean) / std, channel by channel.

    x are the pixels on the scale 0 to 1, or in another colour space. It travels inside the exported graph, so an image
    is converted and normalised in prediction as it was in training. Statistics belong to their colour space, and so
    does their name among the weights: those of RGB are never loaded for Lab.

    Args:
        mean: per channel, in the units of the colour space.
        std: per channel, in the same units, above 0.
        color: `rgb` and `gray` stay as the reader gives them; for others see `ColorSpace`.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], color: str = "rgb") -> None:
        super().__init__()
        if len(mean) != len(std):
            raise ValueError(f"as many means as standard deviations, not {len(mean)} and {len(std)}")
        if min(std) <= 0:
            raise ValueError(f"standard deviations are above 0, not {list(std)}")
        self.color = ColorSpace(color) if color in SPACES else None
        self._prefix = f"{color}_" if self.color else ""
        self.register_buffer(f"{self._prefix}mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer(f"{self._prefix}std", torch.tensor(std, dtype=torch.float32))

    @property
    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, [channels] each; they are the front end's own, to be changed in place."""
        return self.get_buffer(f"{self._prefix}mean"), self.get_buffer(f"{self._prefix}std")

    def forward(self, x: Tensor) -> Tensor:
        """Converts and normalises in float32, whatever the precision of the rest.

        Args:
            x: pixels 0 to 255, uint8 or float, [batch, height, width, channels].

        Returns:
            float32 [batch, channels, height, width]. The memory order stays the reader's, which is channels-last.
        """
        mean, std = self.statistics
        if self.color is not None:
            converted: Tensor = self.color(x.float() / 255.0)
            return ((converted - mean) / std).permute(0, 3, 1, 2)
        # The scale and the shift as two constants: one multiplication and one addition for every pixel.
        return (x.float() * (1.0 / (255.0 * std)) - mean / std).permute(0, 3, 1, 2)

    def fit(self, pixels: Tensor) -> None:
        """Sets mean and standard deviation from pictures, [batch, height, width, channels], 0 to 255."""
        x = pixels.flatten(0, 2).float() / 255
        x = x if self.color is None else self.color(x)
        mean, std = self.statistics
        mean.copy_(x.mean(0).view_as(mean))
        std.copy_(x.std(0).clamp_min(1 / 255).view_as(std))

    def extra_repr(self) -> str:
        mean, std = self.statistics
        return f"mean={mean.tolist()}, std={std.tolist()}"


def channels_of(color: str) -> int:
    """How many channels a network gets of a picture in that colour space."""
    return 1 if color == "gray" else SPACES[color][1] if color in SPACES else 3
