"""Cepstral coefficients: librosa's numbers, the same in ONNX Runtime."""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import torch

from multicnn.audio.frontends.logmel import mel_defaults
from multicnn.audio.frontends.mfcc import Mfcc
from multicnn.errors import UsageError
from tests.audio.front_end_checks import LOG_TOLERANCE, as_heard, check_export, check_fit, check_float32

DECIBELS = 10 / np.log(10)  # of a natural logarithm's unit


def mfcc(sample_rate: int, **settings: Any) -> Mfcc:
    return Mfcc(sample_rate, **(mel_defaults(sample_rate, 1.0) | settings))


@pytest.mark.parametrize(
    ("sample_rate", "settings"), [(8000, {}), (22_050, {"n_mfcc": 13, "scale": "htk"}), (44_100, {"n_mfcc": 20})]
)
def test_agrees_with_librosa(sample_rate: int, settings: dict[str, Any]) -> None:
    front = mfcc(sample_rate, **settings)
    mel = front.settings
    for name, x in as_heard(sample_rate, sample_rate).items():
        for one in x:
            expected = librosa.feature.mfcc(
                y=one.numpy(),
                sr=sample_rate,
                n_mfcc=settings.get("n_mfcc", 40),
                n_fft=mel.n_fft,
                hop_length=mel.hop,
                win_length=mel.window,
                n_mels=mel.n_mels,
                fmin=mel.f_min,
                fmax=mel.f_max,
                htk=mel.scale == "htk",
                pad_mode="reflect",
            )
            ours = front.spectrogram(one[None])[0].numpy()
            tolerance = DECIBELS * LOG_TOLERANCE[name] * 3  # a coefficient is a sum over all bands
            np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance, err_msg=name)


def test_the_range_is_each_clips_own() -> None:
    front, loud = mfcc(8000), as_heard(8000, 8000)["tones"][:1]
    faint = 1e-3 * loud
    torch.testing.assert_close(front.spectrogram(torch.cat([loud, faint]))[1:], front.spectrogram(faint))


def test_onnx_runtime_agrees(tmp_path: Path) -> None:
    check_export(mfcc(16_000), 16_000, 8000, tmp_path, scale=3 * DECIBELS)


def test_fits_and_stays_float32() -> None:
    front = mfcc(16_000)
    check_fit(front, 16_000)
    check_float32(front, 16_000)


def test_statistics_have_a_name_of_their_own() -> None:
    assert set(mfcc(8000).state_dict()) == {"mfcc_mean", "mfcc_std", "bank"}


def test_refuses_more_coefficients_than_bands() -> None:
    with pytest.raises(UsageError, match="audio.mfcc.n_mfcc is from 1 to the 64 of audio.mel.n_mels, not 65"):
        mfcc(8000, n_mfcc=65)
