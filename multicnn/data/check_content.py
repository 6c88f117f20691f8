"""Reads every example, with the same code as training does, and reports what stands out."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from statistics import median
from typing import Any

from multicnn.data.endings import MEDIA, Kind, ending
from multicnn.data.example import Example
from multicnn.data.report import Section, counted
from multicnn.errors import InputError

SILENCE = 1e-3  # a peak of -60 dB
FULL_SCALE = 0.9999
SHORT_SECONDS = 0.05
SMALL_PIXELS = 8
NARROW = 4  # times as long as wide
LONG = 10  # times the median
LONG_WORDS = 400
_CHUNK = 64

# What each decoder calls its format, and the endings that are right for it.
_FORMATS = {
    **dict.fromkeys(("JPEG", "MPO"), ".jpg .jpeg .jpe .jfif"),
    "PNG": ".png",
    **dict.fromkeys(("BMP", "DIB"), ".bmp"),
    "GIF": ".gif",
    "WEBP": ".webp",
    "TIFF": ".tif .tiff",
    "PPM": ".ppm .pgm .pbm .pnm",
    "TGA": ".tga",
    "AVIF": ".avif",
    "HEIF": ".heic",
    **dict.fromkeys(("WAV", "WAVEX", "RF64"), ".wav"),
    "FLAC": ".flac",
    "OGG": ".ogg .oga .opus",
    **dict.fromkeys(("MP3", "MPEG"), ".mp3"),
    "AIFF": ".aif .aiff .aifc",
    "AU": ".au .snd",
    "NIST": ".sph",
}


def check_contents(examples: Sequence[Example], kind: Kind) -> list[Section]:
    """Sections about the contents: files and sizes of pictures, files and levels of sounds, lengths of texts.

    Args:
        examples: what to read; each is decoded as a whole.
        kind: what they are.
    """
    facts = _inspect_all(examples, _inspector(kind))
    readable = [(example, one) for example, one in zip(examples, facts, strict=True) if not isinstance(one, InputError)]
    broken = [f"{e.name}: {one}" for e, one in zip(examples, facts, strict=True) if isinstance(one, InputError)]
    if kind == "text":
        return [_texts(readable, broken)]
    describe = _pictures if kind == "image" else _sounds
    return [_files(readable, broken, kind), *([describe(readable)] if readable else [])]


def _inspector(kind: Kind) -> Callable[[Any], Any]:
    """The reader's own `inspect`; the one of this kind alone is imported."""
    inspect: Callable[[Any], Any] = import_module(f"multicnn.{kind}.read").inspect
    return inspect


def _inspect_all(examples: Sequence[Example], inspect: Callable[[Any], Any]) -> list[Any]:
    """The facts of each example, or the error; a few threads, for the decoders let go of Python's lock."""

    def read(chunk: Sequence[Example]) -> list[Any]:
        facts: list[Any] = []
        for example in chunk:
            try:
                facts.append(inspect(example.load()))
            except InputError as error:
                facts.append(error)
        return facts

    chunks = [examples[start : start + _CHUNK] for start in range(0, len(examples), _CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [one for facts in pool.map(read, chunks) for one in facts]


def _files(readable: list[tuple[Example, Any]], broken: list[str], kind: Kind) -> Section:
    """Files that cannot be read, and files that are not what their ending says."""
    section = Section("Files")
    formats = Counter(str(facts.format) for _, facts in readable)
    if readable:
        section.ok("readable: " + ", ".join(f"{count:,} {name}" for name, count in formats.most_common()))
    if broken:
        section.broken(f"{counted(len(broken), 'file')} cannot be read", broken)
    wrong = [f"{e.name} is {facts.format}" for e, facts in readable if _is_misnamed(e.name, str(facts.format), kind)]
    if wrong:
        section.warn(f"{counted(len(wrong), 'file')} with the ending of another format", wrong)
    return section


def _is_misnamed(name: str, format_: str, kind: Kind) -> bool:
    """Whether both the ending and the format are known, and do not go together."""
    right = _FORMATS.get(format_.upper())
    return right is not None and ending(name) in MEDIA[kind] and ending(name) not in right.split()


def _pictures(readable: list[tuple[Example, Any]]) -> Section:
    """Sizes in pixels, proportions and colour modes."""
    section = Section("Pictures")
    sizes = Counter((facts.width, facts.height) for _, facts in readable)
    widths, heights = [w for w, _ in sizes.elements()], [h for _, h in sizes.elements()]
    if len(sizes) == 1:
        section.ok(f"all {widths[0]} x {heights[0]} pixels")
    else:
        section.ok(
            f"{min(widths)} to {max(widths)} pixels wide (median {median(widths):g}), "
            f"{min(heights)} to {max(heights)} high (median {median(heights):g})"
        )
    modes = Counter(str(facts.mode) for _, facts in readable)
    section.ok("colours: " + ", ".join(f"{count:,} {mode}" for mode, count in modes.most_common()))
    small = [f"{e.name}: {f.width} x {f.height}" for e, f in readable if min(f.width, f.height) < SMALL_PIXELS]
    narrow = [
        f"{e.name}: {f.width} x {f.height}"
        for e, f in readable
        if max(f.width, f.height) > NARROW * min(f.width, f.height)
    ]
    _warn(section, small, "picture", f"with fewer than {SMALL_PIXELS} pixels on a side")
    _warn(section, narrow, "picture", f"more than {NARROW} times as long as wide; image.resize=pad keeps their shape")
    return section


def _sounds(readable: list[tuple[Example, Any]]) -> Section:
    """Sample rates, channels, durations, silence and full scale."""
    section = Section("Sounds")
    rates = Counter(int(facts.sample_rate) for _, facts in readable)
    told = ", ".join(f"{count:,} at {rate:,} Hz" for rate, count in rates.most_common())
    if len(rates) == 1:
        section.ok(f"all at {next(iter(rates)):,} Hz")
    else:
        section.warn(f"several sample rates: {told}; they are resampled to one")
    channels = Counter(int(facts.channels) for _, facts in readable)
    section.ok("channels: " + ", ".join(f"{count:,} with {n}" for n, count in channels.most_common()))
    seconds = [float(facts.seconds) for _, facts in readable]
    middle = median(seconds)
    section.ok(f"{min(seconds):.2f} to {max(seconds):.2f} s long, median {middle:.2f} s")
    short = [f"{e.name}: {f.seconds:.3f} s" for e, f in readable if f.seconds < SHORT_SECONDS]
    long = [f"{e.name}: {f.seconds:.1f} s" for e, f in readable if f.seconds > LONG * middle]
    silent = [e.name for e, f in readable if f.peak < SILENCE]
    loud = [e.name for e, f in readable if f.peak >= FULL_SCALE]
    _warn(section, short, "sound", f"shorter than {SHORT_SECONDS:g} s")
    _warn(section, long, "sound", f"more than {LONG} times as long as the median")
    _warn(section, silent, "sound", "silent (never above -60 dB)")
    _warn(section, loud, "sound", "at full scale, perhaps clipped")
    return section


def _texts(readable: list[tuple[Example, Any]], broken: list[str]) -> Section:
    """Lengths in words; empty, very short and very long texts."""
    section = Section("Texts")
    if broken:
        section.broken(f"{counted(len(broken), 'text')} cannot be read", broken)
    words = [int(facts.tokens) for _, facts in readable]
    if not words:
        return section
    middle = median(words)
    section.ok(f"{min(words):,} to {max(words):,} words, median {middle:g}")
    empty = [e.name for e, f in readable if f.tokens == 0]
    short = [e.name for e, f in readable if f.tokens == 1]
    long = [f"{e.name}: {f.tokens:,} words" for e, f in readable if f.tokens > max(LONG * middle, LONG_WORDS)]
    _warn(section, empty, "text", "without a word")
    _warn(section, short, "text", "of a single word")
    _warn(section, long, "text", f"more than {LONG} times as long as the median; text.max_length cuts them")
    return section


def _warn(section: Section, items: list[str], one: str, what: str) -> None:
    """A warning that counts and names the items, where there are any."""
    if items:
        section.warn(f"{counted(len(items), one)} {what}", items)
