"""Random changes to training pictures that leave their class alone; each picture draws its own."""

import torch
from torch import Tensor, nn


class ImageAugmentation(nn.Module):
    """Flips, shifts, cuts out and relights pictures as the reader gives them, on the device where they are.

    Args:
        flip: mirror half of the pictures, left to right.
        crop: shift by up to this many pixels each way, filling in by reflection: the usual "pad and crop".
        cutout: the side in pixels of a square that takes the picture's mean colour, centred anywhere in it, so that at
            the edge a part of it falls outside. DeVries and Taylor 2017, "Improved Regularization of Convolutional
            Neural Networks with Cutout"; 0 for none.
        jitter: brightness and contrast change by up to this fraction, each, 0 to 1.
    """

    def __init__(self, flip: bool = False, crop: int = 0, cutout: int = 0, jitter: float = 0.0) -> None:
        super().__init__()
        if crop < 0 or cutout < 0:
            raise ValueError(f"crop and cutout are pixels, 0 or more, not {crop} and {cutout}")
        if not 0 <= jitter <= 1:
            raise ValueError(f"jitter is a fraction from 0 to 1, not {jitter}")
        self.flip, self.crop, self.cutout, self.jitter = flip, crop, cutout, jitter

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Changes a batch.

        Args:
            x: pixels 0 to 255, uint8 or float, [batch, height, width, channels].
            generator: where the chances come from; on the CPU it gives the same pictures for every device.

        Returns:
            The same shape and type; `x` itself is left as it was.
        """
        if self.flip or self.crop:
            x = self._move(x, generator)
        if self.jitter:
            x = self._relight(x, generator)
        if self.cutout:
            x = self._cut_out(x, generator)
        return x

    def _move(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Shift and mirror in one gathering of whole pixels: five times as fast as indexing along two axes."""
        batch, height, width, channels = x.shape
        chance = _draw(3, batch, generator, x)
        shift = ((chance[:2] * (2 * self.crop + 1)).floor() - self.crop).long()
        rows = _reflect(torch.arange(height, device=x.device) + shift[0, :, None], height)
        columns = _reflect(torch.arange(width, device=x.device) + shift[1, :, None], width)
        if self.flip:
            columns = torch.where(chance[2, :, None] < 0.5, columns.flip(1), columns)
        first = torch.arange(batch, device=x.device)[:, None] * height
        pixels = (first + rows)[:, :, None] * width + columns[:, None, :]
        return x.reshape(-1, channels).index_select(0, pixels.flatten()).view(x.shape)

    def _relight(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Contrast scales the distance from the picture's mean, brightness the mean itself."""
        factor = 1 + self.jitter * (2 * _draw(2, len(x), generator, x) - 1)
        contrast, brightness = factor[:, :, None]
        lit = x.flatten(1).float()
        mean = lit.mean(dim=1, keepdim=True)
        lit = torch.addcmul(mean * (brightness - contrast), lit, contrast).clamp_(0, 255)
        return (lit.add_(0.5) if x.dtype == torch.uint8 else lit).to(x.dtype).view(x.shape)  # uint8 rounds down

    def _cut_out(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """The square's mean colour, and not black, keeps the statistics that normalisation expects."""
        batch, height, width, _ = x.shape
        size = torch.tensor([[height], [width]], device=x.device)
        start = (_draw(2, batch, generator, x) * size).long() - self.cutout // 2
        rows = torch.arange(height, device=x.device) - start[0, :, None]
        columns = torch.arange(width, device=x.device) - start[1, :, None]
        inside_rows, inside_columns = ((at >= 0) & (at < self.cutout) for at in (rows, columns))
        square = (inside_rows[:, :, None] & inside_columns[:, None, :])[..., None].to(x.dtype)
        colour = x.float().mean(dim=(1, 2), keepdim=True).to(x.dtype)
        return x * (1 - square) + colour * square  # for bytes, twice as fast as torch.where

    def extra_repr(self) -> str:
        return f"flip={self.flip}, crop={self.crop}, cutout={self.cutout}, jitter={self.jitter}"


def _draw(rows: int, batch: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """Chances in [0, 1), [rows, batch], drawn where the generator lives and moved to where the pictures are."""
    return torch.rand(rows, batch, generator=generator, device=generator.device).to(like.device)


def _reflect(at: Tensor, size: int) -> Tensor:
    """Positions beyond the edges mirrored at the edge pixel, any number of times: -1 -> 1, size -> size - 2."""
    period = max(2 * (size - 1), 1)
    at = at % period
    return torch.minimum(at, period - at) if size > 1 else at
