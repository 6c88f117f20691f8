"""Per-channel energy normalisation: the recursion as a matrix, librosa's numbers, the same in ONNX Runtime."""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import torch

from multicnn.audio.frontends.logmel import mel_defaults
from multicnn.audio.frontends.pcen import Pcen, share, smoothing
from tests.audio.front_end_checks import as_heard, check_export, check_fit, check_float32, noise


def pcen(sample_rate: int, samples: int, **settings: Any) -> Pcen:
    return Pcen(sample_rate, samples, **settings, **mel_defaults(sample_rate, samples / sample_rate))


def test_the_matrix_is_the_recursion() -> None:
    energy = noise(3, 40).square().double().numpy()
    mean = energy[:, :1]
    for t in range(40):
        mean = np.concatenate([mean, 0.7 * mean[:, -1:] + 0.3 * energy[:, t : t + 1]], axis=1)
    np.testing.assert_allclose(energy @ smoothing(40, 0.3), mean[:, 1:], rtol=1e-6)


@pytest.mark.parametrize("sample_rate", [8000, 44_100])
@pytest.mark.parametrize("settings", [{}, {"gain": 0.8, "bias": 10.0, "power": 0.25, "time_constant": 0.06}])
def test_agrees_with_librosa(sample_rate: int, settings: dict[str, float]) -> None:
    samples = 2 * sample_rate
    front = pcen(sample_rate, samples, **settings)
    hop = front.settings.hop
    for name, x in as_heard(sample_rate, samples).items():
        energy = front.mel(x).double().numpy()
        beginning = 1 - share(settings.get("time_constant", 0.4) * sample_rate / hop)
        expected = librosa.pcen(energy, sr=sample_rate, hop_length=hop, zi=beginning * energy[..., :1], **settings)
        np.testing.assert_allclose(front.spectrogram(x).numpy(), expected, rtol=0, atol=1e-4, err_msg=name)


def test_what_is_steady_fades_and_what_begins_stays() -> None:
    x = 0.01 * noise(1, 16_000)
    x[:, 8000:] += noise(1, 8000, seed=1)
    heard = pcen(8000, 16_000).spectrogram(x).mean(dim=1)[0]
    before, onset, later = heard[60:95].mean(), heard[102:106].mean(), heard[-20:].mean()
    assert onset > 2 * before
    assert onset > 2 * later


def test_onnx_runtime_agrees(tmp_path: Path) -> None:
    check_export(pcen(16_000, 8000), 16_000, 8000, tmp_path)


def test_fits_and_stays_float32() -> None:
    front = pcen(16_000, 16_000)
    check_fit(front, 16_000)
    check_float32(front, 16_000)


def test_statistics_have_a_name_of_their_own() -> None:
    assert set(pcen(8000, 8000).state_dict()) == {"pcen_mean", "pcen_std", "bank"}


def test_silence_stays_finite() -> None:
    assert torch.equal(pcen(8000, 8000).spectrogram(torch.zeros(1, 8000)), torch.zeros(1, 64, 101))
