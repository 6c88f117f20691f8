"""Batch normalisation of sequences that are padded to one length."""

import torch
from torch import Tensor

from multicnn.blocks.normalisation import BatchNorm


class MaskedBatchNorm(BatchNorm):
    """Batch normalisation whose mean and variance are those of the real steps, so that padding changes nothing.

    Without padding it is Ioffe and Szegedy 2015, "Batch Normalization", algorithm 1.

    Args:
        num_features: the channels.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalises.

        Args:
            x: [batch, channels, time].
            mask: True where x is real, [batch, time].

        Returns:
            The same shape; what stands where it is padding is of no use.
        """
        if mask is None or not self.training:
            return super().forward(x)
        values, real = x.float(), mask[:, None].float()
        total = real.sum()
        count = total.clamp(min=1)
        mean = (values * real).sum((0, 2)) / count
        centred = values - mean[:, None]
        variance = (centred.square() * real).sum((0, 2)) / count
        self._remember(mean.detach(), (variance * count / (count - 1).clamp(min=1)).detach(), total > 0)
        scale = self.weight / (variance + self.eps).sqrt()
        return (centred * scale[:, None] + self.bias[:, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, anything: Tensor) -> None:
        """Takes a batch into the running figures, if anything in it is real."""
        for running, batch in ((self.running_mean, mean), (self.running_var, variance)):
            assert running is not None
            running.lerp_(batch, (self.momentum or 0.0) * anything)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(anything)
