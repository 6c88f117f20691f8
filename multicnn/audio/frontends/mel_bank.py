"""Mel bands: how they are set, and librosa's filter bank."""

from dataclasses import dataclass

import numpy as np

from multicnn.errors import UsageError


@dataclass(frozen=True, slots=True)
class MelSettings:
    """How a mel spectrogram looks at a sound: sizes in samples, frequencies in Hz."""

    n_mels: int
    n_fft: int
    hop: int
    window: int
    f_min: float
    f_max: float
    scale: str = "slaney"
    norm: str = "slaney"


def filter_bank(sample_rate: int, settings: MelSettings) -> np.ndarray:
    """librosa's triangles, float32 [n_mels, 1 + n_fft // 2].

    Raises:
        UsageError: a triangle is so narrow that it lies between two frequencies of the Fourier transform.
    """
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
            norm=None if settings.norm == "none" else "slaney",
        )
    empty = int((~bank.any(axis=1)).sum())
    if empty:
        advice = "choose fewer n_mels or a larger n_fft"
        raise UsageError(f"{empty} of {settings.n_mels} mel bands are narrower than a frequency bin; {advice}")
    return bank


def check(sample_rate: int, settings: MelSettings) -> None:
    """Refuses settings that make no spectrogram, in the words of the recipe.

    Raises:
        UsageError: a size or a frequency is out of its range, or a word is unknown.
    """
    for key, least in (("n_mels", 1), ("hop", 1), ("window", 2)):
        if getattr(settings, key) < least:
            raise UsageError(f"audio.mel.{key} is at least {least}, not {getattr(settings, key)}")
    if settings.n_fft < settings.window:
        raise UsageError(f"audio.mel.n_fft is at least the window's {settings.window} samples, not {settings.n_fft}")
    if not 0 <= settings.f_min < settings.f_max <= sample_rate / 2:
        wrong = f"f_min {settings.f_min:g} and f_max {settings.f_max:g}"
        raise UsageError(f"audio.mel: {wrong} must rise from 0 to at most half the sample rate, {sample_rate / 2:g} Hz")
    for key, words in (("scale", ("slaney", "htk")), ("norm", ("slaney", "none"))):
        if getattr(settings, key) not in words:
            raise UsageError(f"audio.mel.{key} is {' or '.join(words)}, not {getattr(settings, key)}")
