"""Per-channel energy normalisation: what stands out from the last half second, not how loud it is."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multicnn.audio.frontends.mel import MelSpectrogram
from multicnn.audio.frontends.spectrogram import FLOOR


class Pcen(MelSpectrogram):
    """Mel power divided by its own recent mean, then compressed by a root.

    Wang, Getreuer, Hughes, Lyon and Saurous 2017, "Trainable Frontend for Robust and Far-Field Keyword Spotting",
    equations 1 and 2, with E the power in a band:

        M[t] = (1 - s) M[t - 1] + s E[t]        (E / (eps + M)^gain + bias)^power - bias^power

    Steady noise and the room's colour go, onsets stay. s follows from the time constant as in `librosa.pcen`; before
    its beginning a clip is taken to have sounded like its first frame, where librosa by default assumes a power of 1.
    A recursion does not export, but all of M is one matrix product.

    Args:
        sample_rate: Hz.
        samples: the length of every clip.
        gain: how much of the mean is divided away, 0 to 1.
        bias: what is added before the root.
        power: the root's exponent, above 0.
        time_constant: of the mean, in seconds.
        mel: the arguments of `MelSpectrogram`.
    """

    prefix = "pcen_"
    smoothing: Tensor

    def __init__(
        self,
        sample_rate: int,
        samples: int,
        *,
        gain: float = 0.98,
        bias: float = 2.0,
        power: float = 0.5,
        time_constant: float = 0.4,
        **mel: Any,
    ) -> None:
        super().__init__(sample_rate, **mel)
        self.gain, self.bias, self.power = gain, bias, power
        matrix = smoothing(self.frames(samples), share(time_constant * sample_rate / self.settings.hop))
        self.register_buffer("smoothing", torch.from_numpy(matrix), persistent=False)

    def spectrogram(self, x: Tensor) -> Tensor:
        """[batch, samples] -> [batch, mels, frames], 0 or more."""
        energy = self.mel(x)
        mean = energy @ self.smoothing
        heard: Tensor = energy * (mean + FLOOR) ** -self.gain + self.bias
        compressed: Tensor = heard**self.power - self.bias**self.power
        return compressed

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, gain={self.gain}, bias={self.bias}, power={self.power}"


def share(frames: float) -> float:
    """s, what a new frame has of the mean, from the time constant in frames, as in `librosa.pcen`."""
    return (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)


def smoothing(frames: int, share: float) -> np.ndarray:
    """The matrix of the running mean, float32 [frames, frames]; a row of powers times it is the row of their means.

    Column t holds what each frame has of the mean at t: `share` of the newest, and the less the older; the first frame
    also stands for all before it.
    """
    age = np.arange(frames)[None] - np.arange(frames)[:, None]
    weights = np.where(age >= 0, share * (1 - share) ** np.maximum(age, 0), 0.0)
    weights[0] = (1 - share) ** np.arange(frames)
    return weights.astype(np.float32)
