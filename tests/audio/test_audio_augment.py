"""Sounds in training: changed one by one, the same again from the same seed."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.audio.augment import AudioAugmentation, SpecAugment


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sounds(batch: int = 200, samples: int = 400) -> Tensor:
    return torch.randn(batch, samples, generator=seeded(1)) * 0.1


def test_off_is_off() -> None:
    x = sounds()
    assert AudioAugmentation()(x, seeded()) is x
    spectrogram = x[:, None, None]
    assert SpecAugment()(spectrogram, seeded()) is spectrogram


@pytest.mark.parametrize(
    "settings", [{"gain": 6.0}, {"shift": 0.1}, {"noise": 0.9}, {"gain": 6.0, "shift": 0.1, "noise": 1}]
)
def test_keeps_shape_and_input_and_repeats_with_a_seed(settings: dict[str, float]) -> None:
    x = sounds()
    before = x.clone()
    augment = AudioAugmentation(**settings)
    first = augment(x, seeded(3))
    assert first.shape == x.shape
    assert first.dtype == x.dtype
    assert torch.equal(first, augment(x, seeded(3)))
    assert not torch.equal(first, augment(x, seeded(4)))
    assert torch.equal(x, before)


def test_gain_is_drawn_for_each_sound_in_decibels() -> None:
    x = sounds()
    ratio = AudioAugmentation(gain=6.0)(x, seeded()) / x
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    decibels = 20 * ratio[:, 0].log10()
    assert -6 <= decibels.min() < -5.5
    assert 5.5 < decibels.max() <= 6


def test_shift_moves_and_brings_zeros_in() -> None:
    x = sounds()
    moved = AudioAugmentation(shift=0.1)(x, seeded())
    steps = []
    for new, old in zip(moved.numpy(), x.numpy(), strict=True):
        padded = np.pad(old, 40)
        found = [step for step in range(-40, 41) if (padded[40 - step : 440 - step] == new).all()]
        assert len(found) == 1
        steps += found
    assert min(steps) < -35
    assert max(steps) > 35


def test_noise_has_a_signal_to_noise_ratio_from_5_to_30_decibels() -> None:
    x = sounds(300, 4000)
    noise = AudioAugmentation(noise=1.0)(x, seeded()) - x
    ratio = 20 * (x.square().mean(dim=1) / noise.square().mean(dim=1)).log10() / 2
    assert 4.5 < ratio.min() < 7
    assert 28 < ratio.max() < 30.5
    assert abs(float(ratio.mean()) - 17.5) < 1.5


def test_noise_has_the_ratio_that_is_asked_for() -> None:
    x = sounds(20, 4000)
    x[:, :1000] = 0  # what fills up a clip counts for neither
    noise = AudioAugmentation(noise=1.0, snr=(10.0, 10.0))(x, seeded()) - x
    ratio = 10 * (x.square().sum(dim=1) / noise.square().sum(dim=1)).log10()
    torch.testing.assert_close(ratio, torch.full((20,), 10.0), atol=0.5, rtol=0)


def test_noise_comes_by_chance_and_not_where_nothing_was_recorded() -> None:
    x = sounds(400)
    x[:, :100] = 0
    noisy = AudioAugmentation(noise=0.3)(x, seeded())
    assert 80 < int((noisy != x).any(dim=1).sum()) < 160
    assert not noisy[:, :100].any()


def test_silence_stays_silence() -> None:
    silent = torch.zeros(8, 100)
    assert torch.equal(AudioAugmentation(gain=6, shift=0.5, noise=1.0)(silent, seeded()), silent)


@pytest.mark.parametrize(("time", "frequency"), [(0.2, 0.0), (0.0, 0.25), (0.2, 0.25)])
def test_masks_are_stretches_of_zeros_within_their_limits(time: float, frequency: float) -> None:
    x = torch.ones(300, 1, 40, 100)
    before = x.clone()
    masked = SpecAugment(time, frequency)(x, seeded())
    assert torch.equal(x, before)
    assert torch.equal(masked, SpecAugment(time, frequency)(x, seeded()))
    longest = []
    for hidden in (masked[:, 0] == 0).unbind():
        bands, frames = hidden.all(dim=1), hidden.all(dim=0)
        assert torch.equal(hidden, bands[:, None] | frames[None, :])
        for mask in (bands, frames):
            assert int(mask.int().diff().abs().sum()) <= 2  # one stretch
        longest.append((int(frames.sum()), int(bands.sum())))
    assert max(frames for frames, _ in longest) in (range(17, 21) if time else [0])
    assert max(bands for _, bands in longest) in (range(8, 11) if frequency else [0])
    assert len(set(longest)) > 8  # each example draws its own


def test_masks_reach_both_ends() -> None:
    masked = SpecAugment(0.5, 0.0)(torch.ones(500, 1, 2, 50), seeded())[:, 0, 0]
    assert (masked[:, 0] == 0).any()
    assert (masked[:, -1] == 0).any()


@pytest.mark.parametrize("settings", [{"gain": -1.0}, {"shift": 1.5}, {"noise": -0.1}, {"snr": (9.0, 3.0)}])
def test_refuses_settings_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not"):
        AudioAugmentation(**settings)
    with pytest.raises(ValueError, match="fractions"):
        SpecAugment(time=2.0)
