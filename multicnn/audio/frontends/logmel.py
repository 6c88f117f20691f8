"""The log-mel spectrogram, the usual front end."""

import math
from typing import Any

import torch
from torch import Tensor

from multicnn.audio.frontends.mel import MelSpectrogram
from multicnn.audio.frontends.spectrogram import FLOOR


class LogMel(MelSpectrogram):
    """The logarithm of the power in mel bands, log(mel + 1e-6): what an ear's frequency scale makes of a sound.

    The arguments are those of `MelSpectrogram`.
    """

    typical = (-6.0, 3.0)

    def spectrogram(self, x: Tensor) -> Tensor:
        """log(mel + 1e-6) of the waveforms as they are: [batch, samples] -> [batch, mels, frames]."""
        return torch.log(self.mel(x) + FLOOR)


def mel_defaults(sample_rate: int, seconds: float) -> dict[str, Any]:
    """Settings that suit a convolutional network with a total stride of 32, such as DenseNet-121.

    25 ms windows every 10 ms, as in speech recognition. Clips under 0.64 s step by 5 ms, so that a network still has
    some frames left at its end; clips over 5.12 s step by as much as 512 frames allow (20 ms at most), since a
    network's time grows with them. 64 bands up to 16 kHz and 128 above: 30 to 50 Hz apart where pitch is heard.

    Args:
        sample_rate: Hz.
        seconds: the length of a clip.

    Returns:
        The keyword arguments of `LogMel` besides the sample rate.
    """
    window = max(2, 2 * round(sample_rate * 0.025 / 2))
    return {
        "n_mels": 64 if sample_rate <= 16_000 else 128,
        "n_fft": 2 ** math.ceil(math.log2(window)),
        "hop": max(1, round(sample_rate * frame_step(seconds))),
        "window": window,
        "f_min": 0.0,
        "f_max": sample_rate / 2,
        "scale": "slaney",
        "norm": "slaney",
    }


def frame_step(seconds: float) -> float:
    """Seconds from frame to frame for clips of that length."""
    return 0.005 if seconds < 0.64 else min(max(0.010, seconds / 512), 0.020)
