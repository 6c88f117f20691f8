"""Power spectra by matrix products against NumPy's Fourier transform."""

import numpy as np
import pytest
import torch

from multicnn.audio.frontends.fourier import DirectPower, SteppedPower, factors, framed
from tests.audio.front_end_checks import noise

SIZES = [(1102, 4410), (4410, 4410), (551, 2205), (200, 800), (33, 33), (40, 101)]


def by_numpy(frames: np.ndarray, n_fft: int) -> np.ndarray:
    window = frames.shape[-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.abs(np.fft.rfft(frames.astype(np.float64) * hann, n_fft)) ** 2


@pytest.mark.parametrize(("window", "n_fft"), SIZES)
def test_in_two_steps(window: int, n_fft: int) -> None:
    frames = noise(6, window).reshape(2, 3, window)
    expected = by_numpy(frames.numpy(), n_fft)
    power = SteppedPower(window, n_fft)
    np.testing.assert_allclose(power(frames), expected[..., power.bins], rtol=0, atol=2e-6 * expected.max())
    assert set(power.bins) == set(range(n_fft // 2 + 1))


@pytest.mark.parametrize(("window", "n_fft"), SIZES)
def test_directly(window: int, n_fft: int) -> None:
    frames = noise(2, window)
    expected = by_numpy(frames.numpy(), n_fft)
    power = DirectPower(window, n_fft, np.arange(3, n_fft // 2))
    np.testing.assert_allclose(power(frames), expected[..., 3 : n_fft // 2], rtol=0, atol=2e-6 * expected.max())


def test_the_steps_take_few_multiplications() -> None:
    for window, n_fft in SIZES[:4]:
        p, q = factors(window, n_fft)
        assert p * q == n_fft
        assert window * p + 2 * n_fft * q < window * n_fft / 2


def test_tables_are_small() -> None:
    assert sum(table.numel() for table in SteppedPower(4410, 4410).buffers()) < 30_000


@pytest.mark.parametrize(("samples", "window", "hop"), [(1000, 400, 160), (999, 400, 1), (50, 50, 7), (900, 33, 100)])
def test_exported_frames(samples: int, window: int, hop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(2, samples)
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    assert torch.equal(framed(x, window, hop), x.unfold(-1, window, hop))
