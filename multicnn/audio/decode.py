"""From a sound file, or a stretch of one, to a mono waveform as it was recorded. Torch-free."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

import numpy as np
import soundfile

from multicnn.audio.formats import is_mpeg, refusal, refuse_truncated
from multicnn.audio.plain import plain_copy
from multicnn.data.example import Content
from multicnn.data.excerpt import Excerpt
from multicnn.errors import InputError

CHANNELS = {"left": 1, "right": 2}
HEAD = 1024  # bytes that tell what a file is that libsndfile does not know
BEYOND = 0.05  # seconds that an excerpt may end after its recording: people round


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded sound: mono waveform, float32 [samples], and what it was stored as."""

    waveform: np.ndarray
    sample_rate: int
    channels: int
    format: str


def decode(content: Content, channel: str | int = "mix") -> Sound:
    """Decodes a whole file or an excerpt, and makes one channel of it.

    Args:
        content: a file's bytes, or an excerpt; of that the file is read where it lies, and no more than its seconds.
        channel: `mix` for the mean of all, `left`, `right`, or a number from 1 on.

    Raises:
        InputError: empty, truncated, broken, without a sample, with NaN or infinite values, not a known format, without
            that channel, or shorter than the excerpt.
    """
    with opened(content, jumping=True) as file:
        if isinstance(content, Excerpt):
            samples = _samples(file, *_bounds(file, content))
        else:
            samples = _samples(file, 0, file.frames)
        sound = Sound(_mono(samples, channel), file.samplerate, file.channels, file.format)
    if not len(sound.waveform):
        raise InputError("the sound has no samples")
    if not np.isfinite(sound.waveform).all():
        raise InputError("the sound has values that are not numbers (NaN or infinite)")
    return sound


@contextmanager
def opened(content: Content, jumping: bool = False) -> Iterator[soundfile.SoundFile]:
    """A sound file whose header has been read, and which holds all that it promises.

    Args:
        content: a file's bytes, or an excerpt, whose whole recording is opened.
        jumping: whether an excerpt will be read, and not the header alone.

    Raises:
        InputError: empty, truncated, broken, or not a known format; while it is open too.
    """
    if not isinstance(content, bytes | Excerpt):
        raise InputError("this is a text, not a sound's bytes")
    with content.source.open() if isinstance(content, Excerpt) else BytesIO(content) as stream:
        head = stream.read(HEAD)
        if not head:
            raise InputError("the file is empty")
        stream.seek(0)
        try:
            if jumping and isinstance(content, Excerpt) and content.start > 0 and is_mpeg(head):
                with plain_copy(content.source).open() as plain, soundfile.SoundFile(plain) as file:
                    yield file
            else:
                yield from _checked(stream)
        except soundfile.LibsndfileError as error:
            if "not recognised" in error.error_string or "unimplemented" in error.error_string:
                raise refusal(head) from error
            raise InputError(f"the sound is broken or truncated ({error.error_string.strip().rstrip('.')})") from error


def _checked(stream: BinaryIO) -> Iterator[soundfile.SoundFile]:
    """The sound in a file, once it is known to hold all that it promises."""
    with soundfile.SoundFile(stream) as file:
        at = stream.tell()
        refuse_truncated(stream)
        stream.seek(at)
        yield file


def seconds(file: soundfile.SoundFile) -> float:
    """How long a sound is.

    Raises:
        InputError: its header doesn't say.
    """
    if file.frames > 1 << 40:  # libsndfile's largest number; it cannot read on without a length
        raise InputError(f"the {file.format} file does not say how long it is; write it again to a file, not to a pipe")
    return float(file.frames / file.samplerate)


def _bounds(file: soundfile.SoundFile, excerpt: Excerpt) -> tuple[int, int]:
    """The first sample of an excerpt, and how many there are."""
    length = seconds(file)
    end = length if excerpt.end is None else excerpt.end
    if excerpt.start >= length or end > length + BEYOND:
        raise InputError(f"seconds {excerpt} are asked for, but the sound ends after {length:.3f} s")
    start = round(excerpt.start * file.samplerate)
    return start, max(1, min(round(end * file.samplerate), file.frames) - start)


def _samples(file: soundfile.SoundFile, start: int, count: int) -> np.ndarray:
    """Some samples, float32 [count, channels].

    Raises:
        InputError: fewer than the header says, or it doesn't say.
    """
    seconds(file)
    if start:
        file.seek(start)
    samples: np.ndarray = file.read(count, dtype="float32", always_2d=True)
    if len(samples) < count:
        raise InputError(f"the file is truncated: it ends after {start + len(samples):,} of {file.frames:,} samples")
    return samples


def _mono(samples: np.ndarray, channel: str | int) -> np.ndarray:
    """[samples, channels] to the mean of the channels or to one of them, [samples]."""
    channels = samples.shape[1]
    if channel == "mix":
        if channels == 1:
            return samples[:, 0]
        mixed: np.ndarray = samples.mean(axis=1, dtype=np.float32)
        return mixed
    number = CHANNELS.get(str(channel)) or int(channel)
    if number > channels:
        raise InputError(f"audio.channel is {channel}, but the sound has {channels} channel{'s' * (channels > 1)}")
    return np.ascontiguousarray(samples[:, number - 1])
