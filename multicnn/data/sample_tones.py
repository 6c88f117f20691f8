"""Sounds made on the spot: plucked, bowed, struck, noisy and swept, of random pitch, level and noise."""

import io
import wave
from collections.abc import Callable

import numpy as np

SAMPLE_RATE = 16_000
SAMPLES = SAMPLE_RATE  # one second
CLIPS = 80  # of each class
_SEED = 20_240_607
_LEVELS = (-24.0, -3.0)  # of the peak, in decibels below full scale
_NOISE = (-60.0, -26.0)  # of the background, in decibels below the peak


def tones() -> tuple[list[bytes], list[str]]:
    """400 clips of one second as WAV files, 16 kHz, 16 bits, mono, and their labels; the same on every call."""
    makers: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
        "bowed": _bowed,
        "noisy": _noisy,
        "plucked": _plucked,
        "struck": _struck,
        "swept": _swept,
    }
    encoded: list[bytes] = []
    labels: list[str] = []
    for number, (label, make) in enumerate(makers.items()):
        rng = np.random.default_rng([_SEED, number])
        encoded += [_wav(clip) for clip in _recorded(make(rng), rng)]
        labels += [label] * CLIPS
    return encoded, labels


def _pitches(rng: np.random.Generator) -> np.ndarray:
    """Fundamental frequencies over three octaves, in hertz, [clips, 1]."""
    return 110.0 * 2 ** rng.uniform(0, 3, (CLIPS, 1))


def _time() -> np.ndarray:
    """Seconds, [1, samples]."""
    return np.arange(SAMPLES)[None] / SAMPLE_RATE


def _plucked(rng: np.random.Generator) -> np.ndarray:
    """Karplus and Strong 1983: a burst of noise runs round a delay line and loses its highs, [clips, samples]."""
    clips = np.zeros((CLIPS, SAMPLES))
    for clip, pitch in zip(clips, _pitches(rng)[:, 0], strict=True):
        period = int(SAMPLE_RATE / pitch)
        damping = rng.uniform(0.985, 0.999)
        line = rng.uniform(-1, 1, period)
        for start in range(0, SAMPLES, period):
            clip[start : start + period] = line[: SAMPLES - start]
            line = damping * 0.5 * (line + np.roll(line, 1))
    return clips


def _bowed(rng: np.random.Generator) -> np.ndarray:
    """Harmonics that fall off like a saw tooth's, with vibrato and a slow onset, [clips, samples]."""
    time = _time()
    pitch = _pitches(rng)
    vibrato = rng.uniform(0.002, 0.02, (CLIPS, 1)) * np.sin(2 * np.pi * rng.uniform(4, 7, (CLIPS, 1)) * time)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + vibrato), axis=1) / SAMPLE_RATE
    steepness = rng.uniform(0.8, 1.6, (CLIPS, 1))
    clips = np.zeros((CLIPS, SAMPLES))
    for harmonic in range(1, 9):
        audible = pitch * harmonic < SAMPLE_RATE / 2.2
        clips += audible * np.sin(harmonic * phase) / harmonic**steepness
    return clips * np.minimum(1, time / rng.uniform(0.1, 0.4, (CLIPS, 1)))


def _struck(rng: np.random.Generator) -> np.ndarray:
    """The partials of a free bar, which are no harmonics, each with its own decay, [clips, samples]."""
    time = _time()
    pitch = _pitches(rng)
    clips = np.zeros((CLIPS, SAMPLES))
    for order, ratio in enumerate((1.0, 2.756, 5.404, 8.933)):  # Fletcher and Rossing 1998, section 2.15
        decay = rng.uniform(3, 8, (CLIPS, 1)) * (1 + order)
        audible = pitch * ratio < SAMPLE_RATE / 2.2
        strength = rng.uniform(0.3, 1, (CLIPS, 1)) * audible
        clips += strength * np.exp(-decay * time) * np.sin(2 * np.pi * pitch * ratio * time)
    return clips


def _noisy(rng: np.random.Generator) -> np.ndarray:
    """A band of noise that swells and fades, [clips, samples]."""
    spectrum = np.fft.rfft(rng.standard_normal((CLIPS, SAMPLES)), axis=1)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE), 1.0))[None]
    centre, width = np.log2(rng.uniform(300, 5000, (CLIPS, 1))), rng.uniform(0.3, 1.5, (CLIPS, 1))
    band = np.fft.irfft(spectrum * np.exp(-0.5 * ((octaves - centre) / width) ** 2), SAMPLES, axis=1)
    clips: np.ndarray = band * (1 + 0.8 * np.sin(2 * np.pi * rng.uniform(0.5, 6, (CLIPS, 1)) * _time()))
    return clips


def _swept(rng: np.random.Generator) -> np.ndarray:
    """A sine that glides up or down by one to three octaves, [clips, samples]."""
    octaves = rng.uniform(1, 3, (CLIPS, 1)) * rng.choice([-1, 1], (CLIPS, 1))
    start = _pitches(rng) * 2 ** np.maximum(0, -octaves)
    return np.sin(2 * np.pi * np.cumsum(start * 2 ** (octaves * _time()), axis=1) / SAMPLE_RATE)


def _recorded(clips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Starts each clip up to a fifth of a second late, sets its level and adds background noise; int16."""
    late = rng.integers(0, SAMPLES // 5, CLIPS)
    placed = np.zeros_like(clips)
    for row, clip, start in zip(placed, clips, late, strict=True):
        row[start:] = clip[: SAMPLES - start]
    placed /= np.abs(placed).max(axis=1, keepdims=True)
    noise = 10 ** (rng.uniform(*_NOISE, (CLIPS, 1)) / 20) * rng.standard_normal((CLIPS, SAMPLES))
    level = 10 ** (rng.uniform(*_LEVELS, (CLIPS, 1)) / 20)
    steps: np.ndarray = np.rint(32767 * np.clip(level * (placed + noise), -1, 1))
    return steps.astype(np.int16)


def _wav(clip: np.ndarray) -> bytes:
    """One clip as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, len(clip), "NONE", ""))
        file.writeframes(clip.astype("<i2").tobytes())
    return buffer.getvalue()
