"""Mel-frequency cepstral coefficients: the shape of the spectrum, its pitch smoothed away."""

from typing import Any

import torch
from torch import Tensor

from multicnn.audio.frontends.mel import MelSpectrogram
from multicnn.errors import UsageError

LEAST = 1e-10  # the smallest power that is told apart from none
RANGE = 80.0  # decibels below a clip's loudest band at which it is cut off


class Mfcc(MelSpectrogram):
    """The cosine transform of the mel bands' decibels.

    Davis and Mermelstein 1980, "Comparison of Parametric Representations for Monosyllabic Word Recognition in
    Continuously Spoken Sentences", section II. The numbers are those of `librosa.feature.mfcc`: decibels no more
    than 80 below a clip's loudest, the orthonormal transform of type II, no liftering.

    Args:
        sample_rate: Hz.
        n_mfcc: coefficients that are kept, the lowest, at most `n_mels`.
        mel: the arguments of `MelSpectrogram`.

    Raises:
        UsageError: more coefficients than bands.
    """

    prefix = "mfcc_"
    typical = (0.0, 20.0)
    transform: Tensor

    def __init__(self, sample_rate: int, *, n_mfcc: int = 40, **mel: Any) -> None:
        from torchaudio.functional import create_dct

        super().__init__(sample_rate, rows=n_mfcc, **mel)
        n_mels = self.settings.n_mels
        if not 1 <= n_mfcc <= n_mels:
            raise UsageError(f"audio.mfcc.n_mfcc is from 1 to the {n_mels} of audio.mel.n_mels, not {n_mfcc}")
        self.register_buffer("transform", create_dct(n_mfcc, n_mels, norm="ortho").T.contiguous(), persistent=False)

    def spectrogram(self, x: Tensor) -> Tensor:
        """[batch, samples] -> [batch, coefficients, frames]."""
        decibels = 10 * torch.log10(self.mel(x).clamp_min(LEAST))
        decibels = torch.maximum(decibels, decibels.amax(dim=(1, 2), keepdim=True) - RANGE)
        return self.transform @ decibels
