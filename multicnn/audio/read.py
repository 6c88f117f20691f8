"""From a sound file's bytes to a mono waveform of one rate and length. Torch-free: prediction runs exactly this."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import numpy as np
import soundfile
import soxr

from multicnn.audio.formats import refusal, refuse_truncated
from multicnn.errors import InputError, UsageError, did_you_mean

FIT = ("pad", "repeat", "crop")
MARGIN = 0.05  # seconds beside what is kept of a long clip, so that the resampling filter sees its neighbours


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded file: mono waveform, float32 [samples], and what it was stored as."""

    waveform: np.ndarray
    sample_rate: int
    channels: int
    format: str


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
    """Reads one sound as float32 [samples] in -1 to 1: the mean of its channels.

    Args:
        sample_rate: Hz; other rates are resampled (soxr, HQ: 20 bits, no audible aliasing).
        samples: the length of every clip.
        fit: what happens to other lengths. `pad`: zeros on both sides; `repeat`: over and over from its start; both
            keep the middle of a longer clip. `crop`: zeros too, but of a longer clip the stretch with the most energy.
    """

    sample_rate: int
    samples: int
    fit: str = "pad"

    def __post_init__(self) -> None:
        if self.sample_rate < 1 or self.samples < 1:
            raise UsageError(f"a clip needs samples and a rate, not {self.samples} samples at {self.sample_rate} Hz")
        if self.fit not in FIT:
            raise UsageError(f"audio.fit is one of {', '.join(FIT)}, not {self.fit}{did_you_mean(str(self.fit), FIT)}")

    def read(self, content: bytes | str) -> np.ndarray:
        """Decodes, resamples and fits the length.

        Returns:
            float32 [samples]. A sound that goes beyond full scale (a float file) is scaled down to it as a whole.

        Raises:
            InputError: the bytes are empty, truncated, without a sample, not numbers, or no sound libsndfile can read.
        """
        sound = decode(content)
        waveform = sound.waveform
        if sound.sample_rate != self.sample_rate:
            waveform = self._resample(waveform, sound.sample_rate)
        waveform = self._fit(waveform)
        peak = float(np.abs(waveform).max())
        return waveform / np.float32(peak) if peak > 1 else waveform

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """One batch, float32 [batch, samples]."""
        return np.stack(arrays)

    def settings(self) -> dict[str, Any]:
        """The fields; `AudioReader(**settings)` is the same reader."""
        return asdict(self)

    def _resample(self, waveform: np.ndarray, rate: int) -> np.ndarray:
        """Of a long clip only the middle that is kept is resampled: minutes of music would take most of the time."""
        if self.fit != "crop":
            needed = math.ceil((self.samples / self.sample_rate + 2 * MARGIN) * rate)
            waveform = _middle(waveform, needed)
        resampled: np.ndarray = soxr.resample(waveform, rate, self.sample_rate, quality="HQ")
        # A few samples can round to none; half a sample is still one.
        return resampled if len(resampled) else waveform[:1]

    def _fit(self, waveform: np.ndarray) -> np.ndarray:
        """Exactly `samples` long. Cutting and padding are symmetric: the middle of a clip stays in the middle."""
        missing = self.samples - len(waveform)
        if missing < 0:
            return _loudest(waveform, self.samples) if self.fit == "crop" else _middle(waveform, self.samples)
        if self.fit == "repeat":
            return np.resize(waveform, self.samples)
        return np.pad(waveform, (missing // 2, missing - missing // 2))


def decode(content: bytes | str) -> Sound:
    """Decodes a whole file and mixes it to mono.

    Raises:
        InputError: empty, truncated, broken, without a sample, with NaN or infinite values, or not a known format.
    """
    if isinstance(content, str):
        raise InputError("this is a text, not a sound's bytes")
    if not content:
        raise InputError("the file is empty")
    try:
        with soundfile.SoundFile(BytesIO(content)) as file:
            refuse_truncated(content)
            samples = _all_samples(file)
            sound = Sound(_mono(samples), file.samplerate, file.channels, file.format)
    except soundfile.LibsndfileError as error:
        if "not recognised" in error.error_string or "unimplemented" in error.error_string:
            raise refusal(content) from error
        raise InputError(f"the sound is broken or truncated ({error.error_string.strip().rstrip('.')})") from error
    if not len(sound.waveform):
        raise InputError("the sound has no samples")
    if not np.isfinite(sound.waveform).all():
        raise InputError("the sound has values that are not numbers (NaN or infinite)")
    return sound


def inspect(content: bytes | str) -> AudioFacts:
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


def _all_samples(file: soundfile.SoundFile) -> np.ndarray:
    """Every sample, float32 [samples, channels].

    Raises:
        InputError: fewer than the header says, or it doesn't say.
    """
    if file.frames > 1 << 40:  # libsndfile's largest number; it cannot read on without a length
        raise InputError(f"the {file.format} file does not say how long it is; write it again to a file, not to a pipe")
    samples: np.ndarray = file.read(dtype="float32", always_2d=True)
    if len(samples) < file.frames:
        raise InputError(f"the file is truncated: it ends after {len(samples):,} of {file.frames:,} samples")
    return samples


def _mono(samples: np.ndarray) -> np.ndarray:
    """[samples, channels] to the mean of the channels, [samples]."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    mixed: np.ndarray = samples.mean(axis=1, dtype=np.float32)
    return mixed


def _middle(waveform: np.ndarray, length: int) -> np.ndarray:
    start = max(0, (len(waveform) - length) // 2)
    return waveform[start : start + length]


def _loudest(waveform: np.ndarray, length: int) -> np.ndarray:
    """The stretch of `length` samples with the most energy; the first of equals."""
    energy = np.concatenate(([0.0], np.cumsum(np.square(waveform, dtype=np.float64))))
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return waveform[start : start + length]
