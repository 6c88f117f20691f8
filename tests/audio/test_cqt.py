"""The constant-Q transform: librosa's numbers where it doesn't resample, near them where it does."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from multicnn.audio.frontends.cqt import C1, Cqt, bins_below, cqt_bins
from multicnn.errors import UsageError
from tests.audio.front_end_checks import as_heard, check_export, check_fit, check_float32, noise


def cqt(sample_rate: int) -> Cqt:
    return Cqt(sample_rate, hop=sample_rate // 100, n_bins=cqt_bins(sample_rate, C1, 12))


def by_librosa(x: np.ndarray, sample_rate: int, hop: int, f_min: float, n_bins: int, resampling: str) -> np.ndarray:
    heard = librosa.cqt(
        x, sr=sample_rate, hop_length=hop, fmin=f_min, n_bins=n_bins, sparsity=0, tuning=0, res_type=resampling
    )
    return np.abs(heard)


@pytest.mark.parametrize("sample_rate", [8000, 22_050, 44_100])
def test_an_octave_agrees_with_librosa(sample_rate: int) -> None:
    f_min = sample_rate / 8  # lower, and it would resample; higher, and its filters would lose what is beyond the half
    front = Cqt(sample_rate, hop=101, n_bins=12, f_min=f_min)
    tone = torch.sin(2 * torch.pi * 1.5 * f_min * torch.arange(sample_rate) / sample_rate)[None]
    for x in (noise(1, sample_rate), tone):
        expected = by_librosa(x.numpy(), sample_rate, 101, f_min, 12, "soxr_vhq")
        np.testing.assert_allclose(front.power(x).sqrt().numpy(), expected, rtol=0, atol=1e-4 * expected.max())


@pytest.mark.parametrize(("sample_rate", "n_bins"), [(8000, 72), (22_050, 84), (44_100, 84)])
def test_all_octaves_are_near_librosas(sample_rate: int, n_bins: int) -> None:
    front = Cqt(sample_rate, hop=sample_rate // 100, n_bins=n_bins)
    for name, x in as_heard(sample_rate, 2 * sample_rate).items():
        expected = by_librosa(x.numpy(), sample_rate, front.hop, C1, n_bins, "soxr_vhq")
        heard = front.power(x).sqrt().numpy()
        assert np.abs(heard - expected).mean() < 0.02 * expected.mean(), name
        assert np.corrcoef(heard.ravel(), expected.ravel())[0, 1] > 0.9995, name


def test_a_tone_sounds_in_its_own_band() -> None:
    time = torch.arange(16_000) / 16_000
    for semitone in (12, 37, 70):
        heard = cqt(16_000).power(torch.sin(2 * torch.pi * C1 * 2 ** (semitone / 12) * time)[None])
        assert heard[0, :, 50].argmax() == semitone


@pytest.mark.parametrize("sample_rate", [2000, 8000, 11_025, 16_000, 44_100])
@pytest.mark.parametrize("bins_per_octave", [12, 36])
def test_there_are_as_many_bands_as_librosa_allows(sample_rate: int, bins_per_octave: int) -> None:
    count = bins_below(sample_rate / 2, C1, bins_per_octave)
    clip = np.zeros(8 * sample_rate, np.float32)
    settings = {"sr": sample_rate, "fmin": C1, "bins_per_octave": bins_per_octave, "tuning": 0}
    librosa.cqt(clip, n_bins=count, **settings)
    with pytest.raises(librosa.ParameterError, match="Nyquist"):
        librosa.cqt(clip, n_bins=count + 1, **settings)


def test_onnx_runtime_agrees(tmp_path: Path) -> None:
    check_export(cqt(8000), 8000, 4000, tmp_path)


def test_fits_and_stays_float32() -> None:
    front = cqt(16_000)
    check_fit(front, 16_000)
    check_float32(front, 16_000)


def test_refuses_bands_beyond_half_the_sample_rate() -> None:
    with pytest.raises(UsageError, match="audio.cqt.n_bins is at most 83 at 8000 Hz"):
        Cqt(8000, hop=80, n_bins=84)
