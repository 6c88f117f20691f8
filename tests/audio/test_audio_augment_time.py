"""Pitch and tempo: tones end up where they should, clips keep their length, and the same seed does the same."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from multicnn.audio.augment import Equalizer
from multicnn.audio.augment_time import SEMITONES, PitchAndTempo, Speed, shifted
from multicnn.audio.wsola import stretched
from multicnn.blocks.mixup import Mixup

CHANGES = {
    "paper": lambda: PitchAndTempo(8000),
    "speed": lambda: Speed(0.1),
    "equalizer": lambda: Equalizer(6.0),
}


SEARCHED = 0.011  # seconds by which a window may be taken from elsewhere, and rounding


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tones(hertz: float, rate: int, batch: int, seconds: float = 1.0) -> Tensor:
    time = torch.arange(round(seconds * rate)) / rate
    return (0.5 * torch.sin(2 * math.pi * hertz * time)).repeat(batch, 1)


def peak(x: Tensor, rate: int) -> float:
    """The strongest frequency of a sound in Hz."""
    size = 1 << 19
    return float(np.abs(np.fft.rfft(x.numpy() * np.hanning(len(x)), size)).argmax() * rate / size)


def sounding(x: Tensor) -> int:
    """Samples from the first to the last that is not zero."""
    places = x.nonzero()[:, 0]
    return int(places[-1] - places[0] + 1)


@pytest.mark.parametrize("rate", [8000, 44_100])
@pytest.mark.parametrize("hertz", [200.0, 1000.0, 2500.0])
def test_a_tone_moves_by_its_semitones_whatever_the_tempo(hertz: float, rate: int) -> None:
    semitones = torch.tensor(list(SEMITONES))
    tempo = torch.tensor([0.9, 1.2, 1.0, 1.05, 1.15])
    x = tones(hertz, rate, 5)
    for sound, moved, speed in zip(shifted(x, semitones, tempo, rate), semitones, tempo, strict=True):
        middle = sound[rate // 4 : -rate // 4]
        assert 12 * math.log2(peak(middle, rate) / hertz) == pytest.approx(float(moved), abs=0.06)
        assert sounding(sound) == pytest.approx(min(1.0, 1 / float(speed)) * rate, abs=rate * SEARCHED)
        level = middle.unfold(0, rate // 50, rate // 100).abs().amax(1)  # windows that do not fit would cancel
        assert level.min() > 0.45
        assert level.max() < 0.55


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.3])
def test_a_stretched_sound_is_over_when_it_should_be(speed: float) -> None:
    x = tones(300.0, 8000, 2)
    y = stretched(x, torch.tensor([speed, 1.0]), 12_000, 8000)
    assert y.shape == (2, 12_000)
    end = round(8000 / speed)
    assert y[0, end - 400 : end - 200].abs().max() > 0.4
    assert y[0, end + 400 :].abs().max() == 0
    torch.testing.assert_close(y[1, :8000], x[1], atol=1e-6, rtol=0)  # nothing to do is found to be so


def test_each_event_comes_when_the_tempo_says() -> None:
    x = torch.zeros(3, 16_000)
    x[:, 4000:4100] = torch.randn(100, generator=seeded())
    speed = torch.tensor([0.9, 1.0, 1.2])
    loudest = stretched(x, speed, 18_000, 8000).abs().argmax(1)
    torch.testing.assert_close(loudest.float(), 4050 / speed, atol=130, rtol=0)  # 10 ms to search, half of the event


@pytest.mark.parametrize("name", CHANGES)
def test_each_sound_is_changed_in_its_own_way_and_by_the_seed(name: str) -> None:
    change: nn.Module = CHANGES[name]()
    x = torch.randn(12, 4000, generator=seeded(1)).mul_(0.1)[:1].repeat(12, 1)
    before = x.clone()
    first = change(x, seeded(3))
    assert first.shape == x.shape
    assert first.dtype == torch.float32
    assert len({tuple(sound.tolist()) for sound in first}) >= 3
    assert torch.equal(first, change(x, seeded(3)))
    assert not torch.equal(first, change(x, seeded(4)))
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", CHANGES)
def test_what_fills_up_a_short_clip_stays_zero(name: str) -> None:
    x = torch.zeros(16, 4000)
    x[:, 1500:2500] = torch.randn(16, 1000, generator=seeded())
    changed = CHANGES[name]()(x, seeded(1))
    for sound in changed:
        places = sound.nonzero()[:, 0]
        assert 900 / 1.2 < len(places) <= 1000 / 0.9 + 2
        assert int(places[-1] + places[0]) / 2 == pytest.approx(1999.5, abs=8000 * SEARCHED)  # it stays in the middle
    assert not changed.isnan().any()
    assert torch.equal(CHANGES[name]()(torch.zeros(4, 4000), seeded()), torch.zeros(4, 4000))


def test_the_paper_changes_those_whose_turn_it_is() -> None:
    x = torch.randn(8, 4000, generator=seeded())
    turn = torch.arange(8) % 2 == 0
    changed = PitchAndTempo(8000)(x, seeded(), turn)
    assert torch.equal((changed != x).any(1), turn)
    assert torch.equal(changed[turn], PitchAndTempo(8000)(x, seeded())[turn])
    assert torch.equal(PitchAndTempo(8000)(x, seeded(), turn & ~turn), x)


@pytest.mark.parametrize("samples", [50, 401])
def test_clips_shorter_than_a_window_can_be_changed(samples: int) -> None:
    x = torch.randn(9, samples, generator=seeded())
    for change in CHANGES.values():
        assert change()(x, seeded()).shape == x.shape


def test_speed_moves_pitch_and_length_together() -> None:
    x = tones(1000.0, 8000, 60)
    found = {}
    for sound in Speed(0.1)(x, seeded()):
        pitch = round(peak(sound[2000:6000], 8000), -1)
        found[pitch] = found.get(pitch, 0) + 1
        assert sounding(sound) == pytest.approx(min(8000, 8000 * 1000 / pitch), abs=10)
    assert found.keys() == {900.0, 1000.0, 1100.0}
    assert min(found.values()) > 10


def test_the_equaliser_stays_within_its_gains_and_bends_the_spectrum() -> None:
    x = torch.randn(40, 8000, generator=seeded())
    gain = 20 * (torch.fft.rfft(Equalizer(6.0)(x, seeded())).abs() / torch.fft.rfft(x).abs()).log10()
    inner = gain[:, 5:-5]
    assert -6.01 < inner.min() < -5
    assert 5 < inner.max() < 6.01
    assert inner.diff(dim=1)[:, 100:].abs().max() < 0.2  # it bends, and does not jump
    assert (inner.amax(1) - inner.amin(1)).min() > 2


def test_mixup_mixes_sounds_and_their_classes_alike() -> None:
    x = torch.eye(30)
    mixture, truth = Mixup(1.0)(x, torch.arange(30), 30, seeded())
    torch.testing.assert_close(mixture, truth)  # a sound that is its class
    torch.testing.assert_close(truth.sum(1), torch.ones(30))
    assert len(set(mixture.diagonal().tolist())) > 20
    classes = torch.arange(30)
    assert Mixup()(x, classes, 30, seeded()) == (x, classes)


def test_refuses_what_is_out_of_range() -> None:
    for change, value in ((Speed, 0.6), (Speed, -0.1), (Equalizer, -1.0), (Mixup, -1.0)):
        with pytest.raises(ValueError, match="not"):
            change(value)
