"""The log-mel spectrogram: librosa's numbers, the same in ONNX Runtime, whatever the recording level."""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.audio.frontends.logmel import LogMel, mel_defaults
from multicnn.audio.frontends.spectrogram import FLOOR
from multicnn.errors import UsageError
from tests.audio.front_end_checks import exported, noise, tones


def by_librosa(x: Tensor, sample_rate: int, settings: dict[str, Any]) -> np.ndarray:
    return np.stack(
        [
            librosa.feature.melspectrogram(
                y=one.numpy(),
                sr=sample_rate,
                n_fft=settings["n_fft"],
                hop_length=settings["hop"],
                win_length=settings["window"],
                n_mels=settings["n_mels"],
                fmin=settings["f_min"],
                fmax=settings["f_max"],
                htk=settings["scale"] == "htk",
                norm=None if settings["norm"] == "none" else settings["norm"],
                pad_mode="reflect",
                power=2,
            )
            for one in x
        ]
    )


SETTINGS = [
    (8000, {}),
    (16_000, {}),
    (16_000, {"scale": "htk", "norm": "none", "n_mels": 40}),
    (16_000, {"f_min": 300.0, "f_max": 4000.0, "n_mels": 24, "hop": 77}),
    (22_050, {"window": 551, "n_fft": 1023}),  # odd window, odd transform
    (44_100, {}),
]


@pytest.mark.parametrize(("sample_rate", "changes"), SETTINGS)
def test_agrees_with_librosa(sample_rate: int, changes: dict[str, Any]) -> None:
    settings = mel_defaults(sample_rate, 1.0) | changes
    front = LogMel(sample_rate, **settings)
    for x, tolerance in ((noise(2, sample_rate), 1e-4), (tones(sample_rate, sample_rate), 1e-2)):
        expected = by_librosa(x, sample_rate, settings)
        np.testing.assert_allclose(front.mel(x).numpy(), expected, rtol=0, atol=1e-5 * expected.max())
        np.testing.assert_allclose(front.spectrogram(x).numpy(), np.log(expected + FLOOR), rtol=0, atol=tolerance)


@pytest.mark.parametrize(("sample_rate", "seconds"), [(8000, 1.0), (44_100, 0.5)])
def test_onnx_runtime_agrees(sample_rate: int, seconds: float, tmp_path: Path) -> None:
    samples = round(sample_rate * seconds)
    front = LogMel(sample_rate, **mel_defaults(sample_rate, seconds))
    session = exported(front, samples, tmp_path)
    silence = torch.zeros(1, samples)
    # Between the partials of a pure tone there is only float32's rounding, which the logarithm shows.
    for x, tolerance in ((torch.cat([noise(2, samples, 5), silence]), 1e-4), (tones(sample_rate, samples), 1e-2)):
        for batch in (x, x[:1]):
            (theirs,) = session.run(None, {"input": batch.numpy()})
            np.testing.assert_allclose(theirs, front(batch).numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 30.0])
def test_the_recording_level_does_not_matter(gain: float) -> None:
    front, x = LogMel(16_000), noise(2, 16_000)
    torch.testing.assert_close(front(x * gain), front(x), rtol=0, atol=1e-4)


def test_padding_does_not_change_what_it_surrounds() -> None:
    front, x = LogMel(16_000), noise(1, 8000)
    padded = torch.nn.functional.pad(x, (4000, 4000))
    torch.testing.assert_close(front(padded)[..., 27:73], front(x)[..., 2:48], rtol=0, atol=1e-4)


def test_silence_is_finite_and_stays_silent() -> None:
    front = LogMel(16_000)
    silent = front(torch.zeros(1, 16_000))
    assert silent.isfinite().all()
    assert silent.max() < front(noise(1, 16_000)).min()


def test_a_clip_does_not_depend_on_its_batch() -> None:
    front, x = LogMel(16_000), noise(5, 16_000)
    torch.testing.assert_close(front(x)[2:3], front(x[2:3]), rtol=0, atol=1e-5)


def test_fit_gives_zero_mean_and_unit_variance_per_band() -> None:
    front = LogMel(16_000, n_mels=32)
    x = noise(40, 8000).cumsum(dim=1)  # brown noise: the bands differ much
    front.fit([x[:24], x[24:]])
    bands = front(x)[:, 0].double()
    torch.testing.assert_close(bands.mean(dim=(0, 2)), torch.zeros(32).double(), rtol=0, atol=1e-3)
    torch.testing.assert_close(bands.std(dim=(0, 2)), torch.ones(32).double(), rtol=0, atol=1e-2)


def test_fit_survives_silence_and_refuses_nothing_at_all() -> None:
    front = LogMel(16_000)
    front.fit([torch.zeros(2, 8000)])
    assert front(noise(1, 8000)).isfinite().all()
    with pytest.raises(ValueError, match="at least one"):
        front.fit([])


def test_statistics_and_filter_bank_travel_with_the_weights() -> None:
    front, other = LogMel(16_000), LogMel(16_000)
    front.fit([noise(4, 8000)])
    assert set(front.state_dict()) == {"mean", "std", "bank"}
    other.load_state_dict(front.state_dict())
    assert torch.equal(other(noise(1, 8000)), front(noise(1, 8000)))


def test_stays_float32_under_autocast() -> None:
    front, x = LogMel(16_000), noise(1, 8000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(front(x), front(x.float()))
        half = front(x)
    assert half.dtype == torch.float32
    assert torch.equal(half, front(x))


@pytest.mark.parametrize("sample_rate", [4000, 8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 5.0, 10.0])
def test_defaults_make_a_picture_of_fair_size(sample_rate: int, seconds: float) -> None:
    settings = mel_defaults(sample_rate, seconds)
    assert settings["n_fft"] >= settings["window"] >= settings["hop"]
    frames = 1 + round(sample_rate * seconds) // settings["hop"]
    assert frames <= 515
    assert frames >= min(64, 190 * seconds)


@pytest.mark.parametrize("sample_rate", [4000, 8000, 16_000, 22_050, 44_100, 48_000])
def test_defaults_have_no_empty_band(sample_rate: int) -> None:
    front = LogMel(sample_rate, **mel_defaults(sample_rate, 1.0))
    assert front.bank.any(dim=0).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"f_max": 9000.0}, "half the sample rate, 8000 Hz"),
        ({"f_min": 500.0, "f_max": 400.0}, "f_min 500"),
        ({"n_fft": 256}, "at least the window's 400 samples, not 256"),
        ({"hop": 0}, "audio.mel.hop is at least 1, not 0"),
        ({"n_mels": 400}, "fewer n_mels or a larger n_fft"),
        ({"scale": "bark"}, "slaney or htk, not bark"),
        ({"norm": "l1"}, "audio.mel.norm is slaney or none, not l1"),
    ],
)
def test_refuses_settings_that_make_no_spectrogram(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        LogMel(16_000, **changes)
