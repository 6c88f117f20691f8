"""The fast Fourier transform of training against the matrix products that are exported."""

import pytest
import torch

from multicnn.audio.frontends import fast_mel
from multicnn.audio.frontends.logmel import LogMel, mel_defaults
from multicnn.audio.frontends.mel import MelSpectrogram
from multicnn.audio.frontends.mel3 import Mel3, mel3_defaults
from tests.audio.front_end_checks import as_heard, noise

Patch = pytest.MonkeyPatch


def spectrograms(sample_rate: int) -> list[MelSpectrogram]:
    """One of each kind: windows that are as long as the transform and shorter, even and odd, all bands and some."""
    mel3 = Mel3(sample_rate, sample_rate, frames=250, **mel3_defaults(sample_rate))
    defaults = mel_defaults(sample_rate, 1.0)
    narrow = defaults | {"f_min": 300.0, "f_max": 3000.0, "n_mels": 24, "hop": 77, "window": defaults["window"] - 1}
    found = [*mel3.scales, LogMel(sample_rate, **defaults), LogMel(sample_rate, **narrow)]
    return [one for one in found if isinstance(one, MelSpectrogram)]


@pytest.mark.parametrize("sample_rate", [8000, 22_050, 44_100])
def test_both_ways_agree(sample_rate: int, monkeypatch: Patch) -> None:
    for x in as_heard(sample_rate, sample_rate).values():
        for front in spectrograms(sample_rate):
            fast = front.mel(x)
            with monkeypatch.context() as exporting:
                exporting.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
                exported = front.mel(x)
            assert fast.shape == exported.shape
            assert (fast - exported).abs().max() < 1e-5 * exported.max()


@pytest.mark.parametrize("at_once", [1, 3000, 100_000])
def test_however_many_frames_are_transformed_at_once(at_once: int, monkeypatch: Patch) -> None:
    front, x = LogMel(8000, **mel_defaults(8000, 1.0)), noise(5, 8000)
    whole = front.mel(x)
    monkeypatch.setattr(fast_mel, "A_CORE", at_once)
    torch.testing.assert_close(front.mel(x), whole, rtol=0, atol=1e-5 * float(whole.max()))


def test_its_gradient_is_that_of_the_definition() -> None:
    front, x = LogMel(8000, **mel_defaults(8000, 1.0)), noise(1, 2000).double().requires_grad_()
    front.double()
    front.mel(x).sum().backward()
    step = torch.zeros_like(x)
    step[0, 700] = 1e-4
    with torch.no_grad():
        slope = (front.mel(x + step).sum() - front.mel(x - step).sum()) / 2e-4
    assert x.grad is not None
    torch.testing.assert_close(x.grad[0, 700], slope, rtol=1e-4, atol=1e-6)
