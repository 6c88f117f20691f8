"""The power of a sound in mel bands, as librosa has it: what most front ends for sounds begin with."""

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.audio.frontends.fast_mel import FastMel
from multicnn.audio.frontends.fourier import DirectPower, SteppedPower, framed
from multicnn.audio.frontends.mel_bank import MelSettings, check, filter_bank
from multicnn.audio.frontends.spectrogram import Spectrogram


class MelSpectrogram(Spectrogram):
    """Power in mel bands; a subclass says what becomes of it.

    The numbers are librosa's: a periodic Hann window, centred frames with reflection at the ends, |STFT|^2, librosa's
    own filter bank.

    Args:
        sample_rate: Hz.
        n_mels: bands.
        n_fft: length of the Fourier transform, at least `window`; the frame is filled up with zeros.
        hop: samples from frame to frame.
        window: samples in a frame.
        f_min: the lowest band's lower end in Hz.
        f_max: the highest band's upper end in Hz, at most half the sample rate; None for exactly that.
        scale: `slaney` (librosa's default) or `htk`.
        norm: `slaney` (librosa's default): bands of equal area; `none`: bands of equal height.
        stepped: long frames' Fourier transform is taken in two steps (`SteppedPower`).
        rows: of what the subclass makes of the bands; None for as many.

    Raises:
        UsageError: such settings make no spectrogram.
    """

    bank: Tensor

    def __init__(
        self,
        sample_rate: int,
        *,
        n_mels: int = 64,
        n_fft: int = 512,
        hop: int = 160,
        window: int = 400,
        f_min: float = 0.0,
        f_max: float | None = None,
        scale: str = "slaney",
        norm: str = "slaney",
        stepped: bool = False,
        rows: int | None = None,
    ) -> None:
        super().__init__(n_mels if rows is None else rows, hop, reach=window)
        f_max = sample_rate / 2 if f_max is None else f_max
        settings = MelSettings(n_mels, n_fft, hop, window, f_min, f_max, scale, norm)
        check(sample_rate, settings)
        self.sample_rate, self.settings = sample_rate, settings
        bank = filter_bank(sample_rate, settings)
        heard = np.flatnonzero(bank.any(axis=0))  # frequencies that no band hears are not computed
        self.fourier = SteppedPower(window, n_fft) if stepped else DirectPower(window, n_fft, heard)
        bins = self.fourier.bins
        times = np.bincount(bins)[bins]  # a frequency that comes twice has half its weight each time
        self.register_buffer("bank", torch.from_numpy((bank[:, bins] / times.astype(np.float32)).T.copy()))
        self.fast = FastMel(settings, bank)

    def frames(self, samples: int) -> int:
        """How many frames a clip of so many samples has."""
        return 1 + samples // self.settings.hop

    def mel(self, x: Tensor) -> Tensor:
        """The power in each band: [batch, samples] -> [batch, mels, frames]; more than half a window of samples."""
        if torch.onnx.is_in_onnx_export():
            power: Tensor = self.fourier(framed(self._mirrored(x), self.settings.window, self.settings.hop))
            return (power @ self.bank).transpose(1, 2)
        few = torch.split(x, max(1, self.fast.at_once(x) // self.frames(x.shape[1])))
        return torch.cat([self.fast(self._mirrored(clips)) for clips in few]).transpose(1, 2)

    def _mirrored(self, x: Tensor) -> Tensor:
        """[batch, samples] to [batch, samples + window]."""
        n_fft, window = self.settings.n_fft, self.settings.window
        # librosa reflects n_fft / 2 samples; beyond the window they meet only zeros.
        lead = n_fft // 2 - (n_fft - window) // 2
        return nn.functional.pad(x[:, None], (lead, window - lead), mode="reflect")[:, 0]

    def extra_repr(self) -> str:
        return f"sample_rate={self.sample_rate}, {self.settings}"
