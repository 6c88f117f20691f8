"""From a sound to a mono waveform of one rate and length. Torch-free: prediction runs exactly this."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import soxr

from multicnn.audio.decode import CHANNELS, decode
from multicnn.audio.windows import cut
from multicnn.data.example import Content, Example
from multicnn.errors import UsageError, did_you_mean

FIT = ("pad", "repeat", "crop", "loudest", "stretch")
FAINT = np.float32(1e-9)  # 180 dB below full scale: what is no zero, and cannot be heard
MARGIN = 0.05  # seconds beside what is kept of a long clip, so that the resampling filter sees its neighbours


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What a sound file holds; peak and rms (root mean square) of the mono mix, 1.0 is full scale."""

    format: str
    sample_rate: int
    seconds: float
    channels: int
    peak: float
    rms: float


@dataclass(frozen=True)
class AudioReader:
    """Reads one sound as float32 [samples] in -1 to 1.

    Args:
        sample_rate: Hz; other rates are resampled (soxr, HQ: 20 bits, no audible aliasing).
        samples: the length of every clip.
        fit: what happens to other lengths. `pad`: zeros on both sides, and the middle of a longer clip; `repeat`: over
            and over from its start, and the middle; `crop`: as `pad`, but in training another stretch of a longer clip
            in each epoch; `loudest`: zeros, and of a longer clip the stretch with the most energy; `stretch`: as `pad`,
            and the clip neither begins nor ends with a zero, so that the front end sees where it lies.
        channel: `mix` for the mean of the channels, `left`, `right`, or a channel's number from 1 on.
        windows: whether a longer recording is cut into overlapping windows instead, all of which are heard.
        overlap: how much of a window the next one shares, 0 up to 1.
    """

    sample_rate: int
    samples: int
    fit: str = "pad"
    channel: str | int = "mix"
    windows: bool = False
    overlap: float = 0.5

    def __post_init__(self) -> None:
        if self.sample_rate < 1 or self.samples < 1:
            raise UsageError(f"a clip needs samples and a rate, not {self.samples} samples at {self.sample_rate} Hz")
        if self.fit not in FIT:
            raise UsageError(f"audio.fit is one of {', '.join(FIT)}, not {self.fit}{did_you_mean(str(self.fit), FIT)}")
        if self.channel not in ("mix", *CHANNELS) and not (isinstance(self.channel, int) and self.channel > 0):
            raise UsageError(f"audio.channel is mix, left, right or a number from 1 on, not {self.channel}")
        if not 0 <= self.overlap < 1:
            raise UsageError(f"audio.overlap is a share from 0 up to 1, not {self.overlap}")

    def read(self, content: Content) -> np.ndarray:
        """Decodes, resamples and fits the length.

        Returns:
            float32 [samples]. A sound that goes beyond full scale (a float file) is scaled down to it as a whole.

        Raises:
            InputError: as `multicnn.audio.decode.decode`.
        """
        sound = decode(content, self.channel)
        waveform = sound.waveform
        if sound.sample_rate != self.sample_rate:
            waveform = self._resample(waveform, sound.sample_rate)
        waveform = self._fit(waveform)
        peak = float(np.abs(waveform).max())
        return waveform / np.float32(peak) if peak > 1 else waveform

    def cut(self, example: Example, training: bool = False) -> list[Example]:
        """The windows of a recording that is longer than a clip, as examples of their own.

        Args:
            example: one that cannot be opened, or need not be cut, stays as it is.
            training: `crop` has stretches to choose from then.
        """
        if not self.windows and not (training and self.fit == "crop"):
            return [example]
        return cut(example, self.samples / self.sample_rate, self.overlap)

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """One batch, float32 [batch, samples]."""
        return np.stack(arrays)

    def settings(self) -> dict[str, Any]:
        """The fields; `AudioReader(**settings)` is the same reader."""
        return asdict(self)

    def _resample(self, waveform: np.ndarray, rate: int) -> np.ndarray:
        """Of a long clip only the middle that is kept is resampled: minutes of music would take most of the time."""
        if self.fit != "loudest":
            needed = math.ceil((self.samples / self.sample_rate + 2 * MARGIN) * rate)
            waveform = _middle(waveform, needed)
        resampled: np.ndarray = soxr.resample(waveform, rate, self.sample_rate, quality="HQ")
        # A few samples can round to none; half a sample is still one.
        return resampled if len(resampled) else waveform[:1]

    def _fit(self, waveform: np.ndarray) -> np.ndarray:
        """Exactly `samples` long. Cutting and padding are symmetric: the middle of a clip stays in the middle."""
        if self.fit == "stretch":
            waveform = _bounded(_middle(waveform, self.samples))
        missing = self.samples - len(waveform)
        if missing < 0:
            return _loudest(waveform, self.samples) if self.fit == "loudest" else _middle(waveform, self.samples)
        if self.fit == "repeat":
            return np.resize(waveform, self.samples)
        return np.pad(waveform, (missing // 2, missing - missing // 2))


def inspect(content: Content) -> AudioFacts:
    """Decodes everything and says what it is.

    Raises:
        InputError: as `decode`.
    """
    sound = decode(content)
    return AudioFacts(
        format=sound.format,
        sample_rate=sound.sample_rate,
        seconds=len(sound.waveform) / sound.sample_rate,
        channels=sound.channels,
        peak=float(np.abs(sound.waveform).max()),
        rms=float(np.sqrt(np.mean(np.square(sound.waveform, dtype=np.float64)))),
    )


def auto_settings(facts: Sequence[AudioFacts]) -> tuple[int, float]:
    """What `auto` means for the sample rate and the duration, from the training sounds.

    Returns:
        The most common sample rate in Hz (the higher of two equally common ones; at most 44,100), and a duration in
        seconds that 98 of 100 clips fit into, rounded up to tenths below 2 s and to halves above, at most 10 s.
    """
    if not facts:
        raise UsageError("automatic settings need at least one readable sound; give sample_rate and duration")
    counts = Counter(fact.sample_rate for fact in facts)
    rate = max(counts, key=lambda rate: (counts[rate], rate))
    longest = float(np.percentile([fact.seconds for fact in facts], 98))
    step = 0.1 if longest <= 2 else 0.5
    seconds = round(math.ceil(longest / step - 0.001) * step, 1)  # 5.0001 s is 5 s: encoders add a few samples
    return min(rate, 44_100), min(max(seconds, 0.1), 10.0)


def _middle(waveform: np.ndarray, length: int) -> np.ndarray:
    start = max(0, (len(waveform) - length) // 2)
    return waveform[start : start + length]


def _bounded(waveform: np.ndarray) -> np.ndarray:
    """The same with something faint in the place of a zero at either end."""
    bounded = waveform.copy()
    for end in (0, -1):
        bounded[end] = bounded[end] or FAINT
    return bounded


def _loudest(waveform: np.ndarray, length: int) -> np.ndarray:
    """The stretch of `length` samples with the most energy; the first of equals."""
    energy = np.concatenate(([0.0], np.cumsum(np.square(waveform, dtype=np.float64))))
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return waveform[start : start + length]
