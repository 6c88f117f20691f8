"""The first layer of every audio graph: waveforms to normalised log-mel spectrograms."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.errors import UsageError

FLOOR = 1e-6  # added to the mel power before the logarithm
LEVEL = 0.1  # root mean square, -20 dB of full scale, that every clip is brought to
QUIET = 1e-5  # a fainter clip isn't lifted that far: digital silence stays silence


@dataclass(frozen=True, slots=True)
class MelSettings:
    """How `LogMel` looks at a sound: sizes in samples, frequencies in Hz."""

    n_mels: int
    n_fft: int
    hop: int
    window: int
    f_min: float
    f_max: float
    scale: str = "slaney"


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
    step = 0.005 if seconds < 0.64 else min(max(0.010, seconds / 512), 0.020)
    settings = MelSettings(
        n_mels=64 if sample_rate <= 16_000 else 128,
        n_fft=2 ** math.ceil(math.log2(window)),
        hop=max(1, round(sample_rate * step)),
        window=window,
        f_min=0.0,
        f_max=sample_rate / 2,
    )
    return asdict(settings)


class LogMel(nn.Module):
    """The logarithm of the power in mel bands, normalised: what an ear's frequency scale makes of a sound.

    The numbers are librosa's: a periodic Hann window, centred frames with reflection at the ends, |STFT|^2, librosa's
    own filter bank, log(mel + 1e-6).

    Two normalisations surround it. Before: each clip is brought to one level, measured where it isn't digital silence.
    So neither the recording level nor the zeros that fill up a short clip matter, and the logarithm's floor lies
    equally far below every clip. After: each band is centred and scaled by what the training clips hold on average
    (`fit`). On spoken digits with two of six speakers held out, a small network got 0.91 this way (three seeds), 0.86
    with each clip's own mean and variance, which depend on how much of it is silence, and 0.79 without the level.

    The Fourier transform is a matrix product over half a window (`mel`). ONNX Runtime 1.32, one core, milliseconds for
    one clip and for 16, against torch.stft (which exports as the operator STFT) and against a strided convolution:

        1 s at 8 kHz      0.14 /   2.1      STFT  0.36 /   5.8      convolution  0.10 /   1.4
        1 s at 16 kHz     0.28 /   4.3      STFT  0.75 /  12.4      convolution  0.28 /   4.4
        5 s at 44.1 kHz   8.1  / 177        STFT 17.7  / 295        convolution 11.7  / 204

    STFT gains nothing from a second core, the others do. A session starts in 2 to 9 ms with each.

    Args:
        sample_rate: Hz.
        n_mels: bands.
        n_fft: length of the Fourier transform, at least `window`; the frame is filled up with zeros.
        hop: samples from frame to frame.
        window: samples in a frame.
        f_min: the lowest band's lower end in Hz.
        f_max: the highest band's upper end in Hz, at most half the sample rate; None for exactly that.
        scale: `slaney` (librosa's default) or `htk`.
    """

    mean: Tensor
    std: Tensor
    bank: Tensor
    cosine: Tensor
    sine: Tensor

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
        scale: Literal["slaney", "htk"] = "slaney",
    ) -> None:
        super().__init__()
        f_max = sample_rate / 2 if f_max is None else f_max
        settings = MelSettings(n_mels, n_fft, hop, window, f_min, f_max, scale)
        _check(sample_rate, settings)
        self.sample_rate, self.settings = sample_rate, settings
        bank = _filter_bank(sample_rate, settings)
        bins = np.flatnonzero(bank.any(axis=0))  # frequencies that no band hears are not computed
        cosine, sine = _half_basis(window, n_fft, bins)
        self.register_buffer("bank", torch.from_numpy(bank[:, bins].T.copy()))
        self.register_buffer("cosine", torch.from_numpy(cosine), persistent=False)
        self.register_buffer("sine", torch.from_numpy(sine), persistent=False)
        self.register_buffer("mean", torch.full((n_mels, 1), -6.0))
        self.register_buffer("std", torch.full((n_mels, 1), 3.0))

    def forward(self, x: Tensor) -> Tensor:
        """The normalised spectrogram, in float32 under autocast too.

        Args:
            x: waveforms, float32 [batch, samples]; more than half a window of samples.

        Returns:
            float32 [batch, 1, mels, frames], frames = 1 + samples // hop; about zero mean and unit variance.
        """
        if torch.is_autocast_enabled(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                return self._normalised(x.float())
        return self._normalised(x)

    def mel(self, x: Tensor) -> Tensor:
        """The power in each band as librosa has it, not normalised: [batch, samples] -> [batch, mels, frames].

        A periodic Hann window is symmetric, so the cosine part sees only the sum of the samples that lie equally far
        before and after the frame's middle, the sine part only their difference: half the multiplications.
        """
        n_fft, window = self.settings.n_fft, self.settings.window
        half = window // 2
        # librosa reflects n_fft / 2 samples; beyond the window they meet only zeros.
        lead = n_fft // 2 - (n_fft - window) // 2
        x = nn.functional.pad(x[:, None], (lead, window - lead), mode="reflect")[:, 0]
        frames = x.unfold(-1, window, self.settings.hop)
        before = frames[..., 1 : half + 1]
        after = frames[..., window - half :].flip(-1)
        power = ((before + after) @ self.cosine).square() + ((before - after) @ self.sine).square()
        return (power @ self.bank).transpose(1, 2)

    def log_mel(self, x: Tensor) -> Tensor:
        """log(mel + 1e-6) of the waveforms as they are: [batch, samples] -> [batch, mels, frames]."""
        return torch.log(self.mel(x) + FLOOR)

    def fit(self, waveforms: Iterable[Tensor]) -> None:
        """Sets `mean` and `std` of each band from training clips.

        Args:
            waveforms: batches, float32 [batch, samples].
        """
        count, total, squares = 0, torch.zeros(()).double(), torch.zeros(()).double()
        with torch.no_grad():
            for part in (part for batch in waveforms for part in torch.split(batch, 16)):  # 16: little memory
                bands = self.log_mel(levelled(part.to(self.bank.device))).double().cpu()
                count += bands.shape[0] * bands.shape[2]
                total = total + bands.sum(dim=(0, 2))[:, None]
                squares = squares + bands.square().sum(dim=(0, 2))[:, None]
        if count == 0:
            raise ValueError("LogMel.fit needs at least one waveform")
        mean = total / count
        spread = (squares / count - mean.square()).clamp_min(0).sqrt()
        self.mean.copy_(mean)
        self.std.copy_(spread.clamp_min(0.1))  # a band that is always empty stays at 0 and does not blow up

    def _normalised(self, x: Tensor) -> Tensor:
        return ((self.log_mel(levelled(x)) - self.mean) / self.std)[:, None]

    def extra_repr(self) -> str:
        return f"sample_rate={self.sample_rate}, {self.settings}"


def levelled(x: Tensor) -> Tensor:
    """Scales each clip so that its non-zero samples have the root mean square LEVEL: [batch, samples] -> the same."""
    sounding = (x != 0).to(x.dtype).sum(dim=-1, keepdim=True).clamp_min(1.0)
    level = (x.square().sum(dim=-1, keepdim=True) / sounding).sqrt()
    return x * (LEVEL / level.clamp_min(QUIET))


def _filter_bank(sample_rate: int, settings: MelSettings) -> np.ndarray:
    """librosa's triangles, float32 [n_mels, 1 + n_fft // 2]."""
    import warnings

    from librosa.filters import mel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # empty bands are refused below, in one line
        bank: np.ndarray = mel(
            sr=sample_rate,
            n_fft=settings.n_fft,
            n_mels=settings.n_mels,
            fmin=settings.f_min,
            fmax=settings.f_max,
            htk=settings.scale == "htk",
        )
    empty = int((~bank.any(axis=1)).sum())
    if empty:
        advice = "choose fewer n_mels or a larger n_fft"
        raise UsageError(f"{empty} of {settings.n_mels} mel bands are narrower than a frequency bin; {advice}")
    return bank


def _half_basis(window: int, n_fft: int, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windowed cosines and sines of the distance from the frame's middle, float32 [window // 2, bins].

    Row i belongs to samples i + 1 and window - 1 - i; sample 0 has no weight in a periodic Hann window. A middle sample
    is met twice by itself, so it has half its weight.
    """
    n = np.arange(1, window // 2 + 1)
    weight = 0.5 - 0.5 * np.cos(2 * np.pi * n / window)
    weight[2 * n == window] /= 2
    angle = 2 * np.pi / n_fft * np.outer(n - window / 2, bins)
    cosine, sine = weight[:, None] * np.cos(angle), weight[:, None] * np.sin(angle)
    return cosine.astype(np.float32), sine.astype(np.float32)


def _check(sample_rate: int, settings: MelSettings) -> None:
    """Refuses settings that make no spectrogram, in the words of the recipe."""
    for key, least in (("n_mels", 1), ("hop", 1), ("window", 2)):
        if getattr(settings, key) < least:
            raise UsageError(f"audio.mel.{key} is at least {least}, not {getattr(settings, key)}")
    if settings.n_fft < settings.window:
        raise UsageError(f"audio.mel.n_fft is at least the window's {settings.window} samples, not {settings.n_fft}")
    if not 0 <= settings.f_min < settings.f_max <= sample_rate / 2:
        wrong = f"f_min {settings.f_min:g} and f_max {settings.f_max:g}"
        raise UsageError(f"audio.mel: {wrong} must rise from 0 to at most half the sample rate, {sample_rate / 2:g} Hz")
    if settings.scale not in ("slaney", "htk"):
        raise UsageError(f"audio.mel.scale is slaney or htk, not {settings.scale}")
