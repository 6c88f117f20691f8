"""Copies of sounds are found, whatever was done to them, and nothing else is."""

import io

import numpy as np
import pytest
import soundfile
import soxr

from multicnn.audio.fingerprint import find_copies, fingerprint
from multicnn.errors import InputError

RATE = 22_050


def music(seed: int, seconds: float = 6) -> np.ndarray:
    """Tones and coloured noises that come and go."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    x = np.zeros(len(t))
    for number in range(60):
        pitch, middle, width = rng.uniform(100, 3000), rng.uniform(0, seconds), rng.uniform(0.1, 0.8)
        carrier = np.sin(2 * np.pi * pitch * t)
        if number % 2:
            carrier *= np.convolve(rng.normal(size=len(t)), np.ones(40) / 10, mode="same")
        x += rng.uniform(0.1, 1) * carrier * np.exp(-(((t - middle) / width) ** 2))
    return (0.8 * x / np.abs(x).max()).astype(np.float32)


def encode(waveform: np.ndarray, rate: int = RATE, format_: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, rate, format=format_)
    return buffer.getvalue()


ORIGINALS = [music(seed) for seed in range(12)]
SECOND = np.zeros(RATE, np.float32)


@pytest.mark.parametrize(
    ("copy", "lag"),
    [
        (encode(ORIGINALS[5], format_="OGG"), 0.0),
        (encode(ORIGINALS[5], format_="MP3"), 0.0),
        (encode(ORIGINALS[5] * 0.1), 0.0),
        (encode(np.stack([ORIGINALS[5], ORIGINALS[5]], axis=1)), 0.0),
        (encode(soxr.resample(ORIGINALS[5], RATE, 16_000), 16_000), 0.0),
        (encode(ORIGINALS[5] + np.random.default_rng(0).normal(0, 0.02, 6 * RATE).astype(np.float32)), 0.0),
        (encode(ORIGINALS[5][7_000:]), 7_000 / RATE),
        (encode(np.concatenate([SECOND, ORIGINALS[5]])), -1.0),
        (encode(ORIGINALS[5][40_000:110_000], format_="MP3"), 40_000 / RATE),
    ],
    ids=["ogg", "mp3", "quiet", "stereo", "resampled", "noisy", "begun later", "after silence", "cut"],
)
def test_a_copy_is_found_and_nothing_else(copy: bytes, lag: float) -> None:
    prints = [fingerprint(encode(one)) for one in ORIGINALS]
    assert find_copies(prints) == []
    ((one, other, found),) = find_copies([*prints, fingerprint(copy)])
    assert (one, other) == (5, 12)
    assert found == pytest.approx(lag, abs=0.08)


def test_unlike_sounds_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(5 * RATE) / RATE
    sounds = [
        *(rng.normal(0, 0.2, 5 * RATE) for _ in range(4)),
        *(0.5 * np.sin(2 * np.pi * pitch * t) for pitch in (440, 450, 1000)),
        *(np.zeros(5 * RATE), np.zeros(4 * RATE)),
    ]
    assert find_copies([fingerprint(encode(sound.astype(np.float32))) for sound in sounds]) == []


def test_short_sounds_and_none_have_nothing_to_compare() -> None:
    short = fingerprint(encode(ORIGINALS[0][: 2 * RATE]))
    assert short.shape == (0,)
    assert find_copies([short, short]) == find_copies([]) == []


def test_what_is_no_sound_is_an_error() -> None:
    with pytest.raises(InputError):
        fingerprint(b"no sound")
