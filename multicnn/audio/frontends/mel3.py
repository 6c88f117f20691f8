"""Three log-mel spectrograms of one sound as the three channels of a picture, so that networks for photographs fit."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from multicnn.audio.frontends.level import levelled
from multicnn.audio.frontends.logmel import LogMel
from multicnn.audio.frontends.spectrogram import in_float32
from multicnn.audio.frontends.stretch import resizing

WINDOWS = (0.025, 0.050, 0.100)  # seconds
HOPS = (0.010, 0.025, 0.050)
LONG = 600  # samples; from here on two steps are quicker, and in one the rounding would show between the tones


class Mel3(nn.Module):
    """Fine in time, fine in pitch, and between: log-mel spectrograms with three windows, one a channel.

    Palanisamy, Singhania and Yao 2020, "Rethinking CNN Models for Audio Classification", section 3.2, and their code:
    windows of 25, 50 and 100 ms, hops of 10, 25 and 50 ms, log(mel + 1e-6); every channel is then resized along time,
    as Pillow resizes a picture (bilinear, with antialiasing), to the same number of frames. Unlike there, each clip has
    one level and each band of each channel mean 0 and variance 1 over the training clips, as in `LogMel`.

    The resizing is a matrix product. Resized after the normalisation or before, a band is the same: the columns
    of the matrix sum to 1.

    Args:
        sample_rate: Hz.
        samples: the length of every clip, more than 50 ms.
        frames: columns of the picture.
        stretch: whether a clip that is shorter than `samples` fills the picture too, as `Stretch` has it.
        mel: the arguments of `LogMel` but for window and hop.
    """

    def __init__(self, sample_rate: int, samples: int, *, frames: int, stretch: bool = False, **mel: Any) -> None:
        super().__init__()
        windows = [round(sample_rate * seconds) for seconds in WINDOWS]
        hops = [max(1, round(sample_rate * seconds)) for seconds in HOPS]
        self.scales = nn.ModuleList(
            LogMel(sample_rate, window=window, hop=hop, stepped=window >= LONG, **mel)
            for window, hop in zip(windows, hops, strict=True)
        )
        for number, scale in enumerate(self.scales):
            assert isinstance(scale, LogMel)
            if stretch:
                scale.stretch_to(samples, frames)
            else:
                before = torch.tensor([[scale.frames(samples)]])
                self.register_buffer(f"resize{number}", resizing(before, int(before), frames)[0], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """float32 [batch, samples] to [batch, 3, mels, frames], in float32 under autocast too."""
        return in_float32(self._channels, x)

    def fit(self, waveforms: Iterable[Tensor]) -> None:
        """Sets mean and deviation of each band of each channel from training clips.

        Args:
            waveforms: batches, float32 [batch, samples].

        Raises:
            ValueError: there are none.
        """
        batches = list(waveforms)
        for scale in self.scales:
            assert isinstance(scale, LogMel)
            scale.fit(batches)

    def _channels(self, x: Tensor) -> Tensor:
        x, channels = levelled(x), []
        for number, scale in enumerate(self.scales):
            assert isinstance(scale, LogMel)
            heard = scale.normalised(x)
            channels.append(heard if scale.stretch else heard @ self.get_buffer(f"resize{number}"))
        return torch.cat(channels, dim=1)


def mel3_defaults(sample_rate: int) -> dict[str, Any]:
    """The paper's: 128 HTK bands of equal height, and a Fourier transform as long as the longest window.

    That is 4410 samples at 44.1 kHz and 2205 at 22.05 kHz.

    Args:
        sample_rate: Hz.
    """
    return {
        "n_mels": 128,
        "n_fft": round(sample_rate * max(WINDOWS)),
        "f_min": 0.0,
        "f_max": sample_rate / 2,
        "scale": "htk",
        "norm": "none",
    }


def mel3_frames(seconds: float) -> int:
    """The paper's 250 frames for clips of up to 5 s, and 50 a second for longer ones: its 1500 for 30 s of music."""
    return max(250, round(50 * seconds))
