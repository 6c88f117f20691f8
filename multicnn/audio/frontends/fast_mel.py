"""The power in mel bands by the fast Fourier transform: what PyTorch is quick at, and ONNX Runtime is not."""

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.audio.frontends.mel_bank import MelSettings

GROUP = 16  # neighbouring bands, which hear the same few frequencies
# Numbers that are transformed at once: on a CPU they stay in its cores' caches, and a batch fills no device's memory.
A_CORE = 1 << 19
ELSEWHERE = 1 << 26


class FastMel(nn.Module):
    """What `DirectPower` or `SteppedPower` and the filter bank come to, in training.

    The power of a frequency is never written out: the bank is applied to the squares of real and imaginary parts, as
    they lie in memory. And it is applied by groups of bands, each to the frequencies that it hears, for nearly all of
    the whole bank is 0.

    Args:
        settings: sizes of window, transform and hop.
        bank: float32 [n_mels, 1 + n_fft // 2], no row of zeros only.
    """

    hann: Tensor

    def __init__(self, settings: MelSettings, bank: np.ndarray) -> None:
        super().__init__()
        self.settings = settings
        hann = np.zeros(settings.n_fft, np.float32)
        hann[: settings.window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(settings.window) / settings.window)
        self.register_buffer("hann", torch.from_numpy(hann), persistent=False)
        self.heard: list[slice] = []
        for number, start in enumerate(range(0, len(bank), GROUP)):
            group = bank[start : start + GROUP]
            frequencies = np.flatnonzero(group.any(axis=0))
            first, end = int(frequencies[0]), int(frequencies[-1]) + 1
            self.heard.append(slice(2 * first, 2 * end))
            weights = torch.from_numpy(group[:, first:end].repeat(2, axis=1).T.copy())
            self.register_buffer(f"bank{number}", weights, persistent=False)

    def at_once(self, x: Tensor) -> int:
        """How many frames are best transformed at once, on the device where the waveforms are."""
        numbers = A_CORE * torch.get_num_threads() if x.device.type == "cpu" else ELSEWHERE
        return max(1, numbers // self.settings.n_fft)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, samples + window], reflected at its ends, to [batch, 1 + samples // hop, n_mels]."""
        n_fft = self.settings.n_fft
        frames = nn.functional.pad(x, (0, n_fft - self.settings.window)).unfold(-1, n_fft, self.settings.hop)
        return torch.cat([self._mel(part) for part in torch.split(frames, self.at_once(x), dim=1)], dim=1)

    def _mel(self, frames: Tensor) -> Tensor:
        """[batch, frames, n_fft] to [batch, frames, n_mels]."""
        squares = torch.view_as_real(torch.fft.rfft(frames * self.hann)).flatten(-2).square()
        groups = [squares[..., heard] @ self.get_buffer(f"bank{number}") for number, heard in enumerate(self.heard)]
        return torch.cat(groups, dim=-1)
