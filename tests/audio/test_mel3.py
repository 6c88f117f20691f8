"""The paper's three channels: librosa's numbers, Pillow's resizing, the same in ONNX Runtime."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from PIL import Image

from multicnn.audio.frontends.mel3 import Mel3, mel3_defaults, mel3_frames
from multicnn.audio.frontends.spectrogram import FLOOR
from multicnn.audio.frontends.stretch import resizing
from multicnn.errors import UsageError
from tests.audio.front_end_checks import LOG_TOLERANCE, as_heard, check_export, check_fit, check_float32, noise

# The paper's code: int(round(ms * rate / 1000)); n_fft is 4410 at 44.1 kHz and 2205 at 22.05 kHz.
PAPER = {
    44_100: (4410, ((1102, 441), (2205, 1102), (4410, 2205))),
    22_050: (2205, ((551, 220), (1102, 551), (2205, 1102))),
    8000: (800, ((200, 80), (400, 200), (800, 400))),
}


def mel3(sample_rate: int, seconds: float) -> Mel3:
    samples = round(sample_rate * seconds)
    return Mel3(sample_rate, samples, frames=mel3_frames(seconds), **mel3_defaults(sample_rate))


@pytest.mark.parametrize("sample_rate", PAPER)
def test_agrees_with_librosa(sample_rate: int) -> None:
    front = mel3(sample_rate, 1.0)
    n_fft, scales = PAPER[sample_rate]
    for name, x in as_heard(sample_rate, sample_rate).items():
        for scale, (window, hop) in zip(front.scales, scales, strict=True):
            expected = librosa.feature.melspectrogram(
                y=x.numpy(),
                sr=sample_rate,
                n_fft=n_fft,
                win_length=window,
                hop_length=hop,
                n_mels=128,
                htk=True,
                norm=None,
                pad_mode="reflect",
                power=2,
            )
            np.testing.assert_allclose(scale.mel(x).numpy(), expected, rtol=0, atol=1e-5 * expected.max())
            logs = np.log(expected + FLOOR)
            np.testing.assert_allclose(scale.spectrogram(x).numpy(), logs, rtol=0, atol=LOG_TOLERANCE[name])


@pytest.mark.parametrize(("before", "after"), [(501, 250), (201, 250), (101, 250), (3001, 1500), (7, 7)])
def test_resizes_as_pillow_does(before: int, after: int) -> None:
    picture = noise(128, before).numpy()
    expected = np.asarray(Image.fromarray(picture).resize((after, 128), Image.Resampling.BILINEAR))
    (matrix,) = resizing(torch.tensor([[before]]), before, after).numpy()
    np.testing.assert_allclose(picture @ matrix, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("sample_rate", "seconds", "frames"),
    [(44_100, 5.0, 250), (22_050, 4.0, 250), (8000, 0.4, 250), (22_050, 30.0, 1500)],
)
def test_the_picture_has_the_papers_size(sample_rate: int, seconds: float, frames: int) -> None:
    clip = noise(1, round(sample_rate * seconds))
    assert mel3(sample_rate, seconds)(clip).shape == (1, 3, 128, frames)


def test_a_channel_shows_one_window_resized() -> None:
    front, x = mel3(16_000, 1.0), noise(2, 16_000)
    front.fit([x])
    for number, scale in enumerate(front.scales):
        whole = scale(x)[:, 0]
        expected = torch.nn.functional.interpolate(whole[:, None], (128, 250), mode="bilinear", antialias=True)[:, 0]
        torch.testing.assert_close(front(x)[:, number], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("sample_rate", [8000, 22_050])
def test_onnx_runtime_agrees(sample_rate: int, tmp_path: Path) -> None:
    check_export(mel3(sample_rate, 0.5), sample_rate, sample_rate // 2, tmp_path)


def test_training_clips_have_mean_0_and_variance_1() -> None:
    check_fit(Mel3(16_000, 16_000, frames=101, **mel3_defaults(16_000)), 16_000)


def test_nothing_to_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mel3(8000, 1.0).fit([])


def test_stays_float32() -> None:
    check_float32(mel3(16_000, 0.5), 8000)


def test_the_level_does_not_matter() -> None:
    front, x = mel3(8000, 1.0), noise(2, 8000)
    torch.testing.assert_close(front(x * 0.01), front(x), rtol=0, atol=1e-4)


@pytest.mark.parametrize("sample_rate", [4000, 8000, 11_025, 16_000, 32_000, 48_000])
def test_other_rates_have_no_empty_band(sample_rate: int) -> None:
    for scale in mel3(sample_rate, 1.0).scales:
        assert scale.bank.any(dim=0).all()


def test_refuses_a_transform_that_is_shorter_than_the_longest_window() -> None:
    with pytest.raises(UsageError, match="at least the window's 800 samples, not 512"):
        Mel3(8000, 8000, frames=250, **(mel3_defaults(8000) | {"n_fft": 512}))
