"""The constant-Q transform: a band for each semitone, each with a window of as many periods."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.audio.frontends.fourier import framed
from multicnn.audio.frontends.logmel import frame_step
from multicnn.audio.frontends.spectrogram import FLOOR, Spectrogram
from multicnn.errors import UsageError

C1 = 440.0 * 2 ** (-45 / 12)  # the lowest C of a piano in Hz


class Cqt(Spectrogram):
    """The logarithm of the power in bands that are equally far apart on a keyboard: a transposed melody moves, no more.

    Brown 1991, "Calculation of a constant Q spectral transform", equation 5. The filters are librosa's. It computes
    octave by octave on a sound whose rate it halves each time (Schörkhuber and Klapuri 2010); here every octave
    sees the sound itself, so that there is no resampling to be exported and no error of it. In a single octave the
    magnitudes are the same within 1e-4 of their maximum; over seven they differ by 0.02 % (44.1 kHz) to 1.2 % (8 kHz)
    on average.

    The filters of an octave are one matrix, as long as the longest of them: half the one before.

    Args:
        sample_rate: Hz.
        hop: samples from frame to frame.
        f_min: the lowest band in Hz.
        n_bins: bands.
        bins_per_octave: bands in an octave.

    Raises:
        UsageError: the highest band would reach beyond half the sample rate.
    """

    prefix = "cqt_"
    typical = (-6.0, 3.0)

    def __init__(
        self, sample_rate: int, *, hop: int, n_bins: int, f_min: float = C1, bins_per_octave: int = 12
    ) -> None:
        super().__init__(n_bins, hop)
        highest = bins_below(sample_rate / 2, f_min, bins_per_octave)
        if n_bins > highest:
            raise UsageError(
                f"audio.cqt.n_bins is at most {highest} at {sample_rate} Hz, from {f_min:g} Hz on in steps of "
                f"{bins_per_octave} an octave, not {n_bins}"
            )
        self.sample_rate = sample_rate
        starts = range(0, n_bins, bins_per_octave)
        self.octaves = len(starts)
        for number, start in enumerate(starts):
            bands = range(start, min(start + bins_per_octave, n_bins))
            frequencies = f_min * 2 ** (np.array(bands) / bins_per_octave)
            self.register_buffer(f"octave{number}", _filters(sample_rate, frequencies, bins_per_octave), False)

    def power(self, x: Tensor) -> Tensor:
        """|CQT|^2 as librosa has it: [batch, samples] -> [batch, bins, frames]."""
        return torch.cat([self._octave(x, self.get_buffer(f"octave{n}")) for n in range(self.octaves)], dim=1)

    def spectrogram(self, x: Tensor) -> Tensor:
        """log(|CQT|^2 + 1e-6): [batch, samples] -> [batch, bins, frames]."""
        return torch.log(self.power(x) + FLOOR)

    def _octave(self, x: Tensor, filters: Tensor) -> Tensor:
        """The power in an octave's bands; its filters are [length, cosines and then sines]."""
        length = filters.shape[0]
        x = nn.functional.pad(x, (length // 2, length // 2))
        heard = framed(x, length, self.hop) @ filters
        cosine, sine = heard.chunk(2, dim=-1)
        return (cosine.square() + sine.square()).transpose(1, 2)

    def extra_repr(self) -> str:
        return f"sample_rate={self.sample_rate}, hop={self.hop}, octaves={self.octaves}"


def _filters(sample_rate: int, frequencies: np.ndarray, bins_per_octave: int) -> Tensor:
    """librosa's filters of some bands, float32 [length, 2 bands], even length: real parts, then imaginary ones."""
    from librosa.filters import wavelet

    alpha = np.full(len(frequencies), _relative_bandwidth(bins_per_octave))
    basis, lengths = wavelet(freqs=frequencies, sr=sample_rate, alpha=alpha, dtype=np.complex128)
    basis = np.roll((basis * np.sqrt(lengths)[:, None])[:, ::-1], 1, axis=1)  # librosa convolves
    middle, half = basis.shape[1] // 2, math.ceil(lengths.max() / 2) + 1
    basis = basis[:, max(0, middle - half) : middle + half]
    return torch.from_numpy(np.concatenate([basis.real, basis.imag]).T.astype(np.float32).copy())


def _relative_bandwidth(bins_per_octave: int) -> float:
    """A band's width over its frequency, such that neighbours touch."""
    step = 2 ** (2 / bins_per_octave)
    return (step - 1) / (step + 1)


def bins_below(highest: float, f_min: float, bins_per_octave: int) -> int:
    """How many bands stay below a frequency in Hz with their whole width, as `librosa.cqt` asks for."""
    from librosa.filters import window_bandwidth

    reach = 1 + 0.5 * window_bandwidth("hann") * _relative_bandwidth(bins_per_octave)
    return math.floor(bins_per_octave * math.log2(highest / (f_min * reach))) + 1


def cqt_defaults(sample_rate: int, seconds: float) -> dict[str, Any]:
    """What stands for `auto`: a hop like that of `mel_defaults`, and the piano's lowest C.

    Args:
        sample_rate: Hz.
        seconds: the length of a clip.
    """
    return {"hop": max(1, round(sample_rate * frame_step(seconds))), "f_min": C1}


def cqt_bins(sample_rate: int, f_min: float, bins_per_octave: int) -> int:
    """Seven octaves of bands, or what half the sample rate leaves of them."""
    return min(7 * bins_per_octave, bins_below(sample_rate / 2, f_min, bins_per_octave))
