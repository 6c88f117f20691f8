"""The front end of networks that hear the waveform itself."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from multicnn.audio.frontends.level import levelled


class Waveform(nn.Module):
    """Waveforms of one level, then of mean 0 and variance 1 over the training clips (`fit`).

    Dai et al. 2016, "Very Deep Convolutional Neural Networks for Raw Waveforms", section 3, standardise too. Each clip
    is brought to one level first, as in `Spectrogram`: how far away the microphone stood says nothing.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("std", torch.full((1,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """float32 [batch, samples] to float32 [batch, 1, samples]."""
        return ((levelled(x) - self.mean) / self.std)[:, None]

    def fit(self, waveforms: Iterable[Tensor]) -> None:
        """Sets `mean` and `std` from training clips.

        Args:
            waveforms: batches, float32 [batch, samples].

        Raises:
            ValueError: there are none.
        """
        count, total, squares = 0, torch.zeros(()).double(), torch.zeros(()).double()
        for batch in waveforms:
            samples = levelled(batch).double().cpu()
            count += samples.numel()
            total = total + samples.sum()
            squares = squares + samples.square().sum()
        if count == 0:
            raise ValueError("Waveform.fit needs at least one waveform")
        mean = total / count
        self.mean.fill_(mean.item())
        self.std.fill_((squares / count - mean.square()).clamp_min(1e-6).sqrt().item())  # silence is not blown up
