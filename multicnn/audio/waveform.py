"""The front end of networks that hear the waveform itself."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Waveform(nn.Module):
    """Waveforms of mean 0 and variance 1 over the training clips, `mean` and `std`, which `fit` sets.

    Dai et al. 2016, "Very Deep Convolutional Neural Networks for Raw Waveforms", section 3. One mean and one deviation
    serve all clips, so a loud clip stays louder than a faint one.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("std", torch.full((1,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """float32 [batch, samples] to float32 [batch, 1, samples]."""
        return ((x - self.mean) / self.std)[:, None]

    def fit(self, waveforms: Iterable[Tensor]) -> None:
        """Sets `mean` and `std` from training clips.

        Args:
            waveforms: batches, float32 [batch, samples].

        Raises:
            ValueError: there are none.
        """
        every = [batch.double() for batch in waveforms]
        if not sum(batch.numel() for batch in every):
            raise ValueError("Waveform.fit needs at least one sample")
        samples = torch.cat([batch.flatten() for batch in every])
        self.mean.fill_(samples.mean())
        self.std.fill_(samples.std(correction=0).clamp_min(1e-5))  # digital silence stays silence
