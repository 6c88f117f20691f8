"""Sounds from bytes: every container, rate and length, and never half a sound."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from multicnn.audio.decode import decode
from multicnn.audio.read import FIT, AudioFacts, AudioReader, auto_settings, inspect
from multicnn.errors import InputError, UsageError

LOSSLESS = [
    *[("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")],
    *[("WAVEX", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")],
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    *[("AIFF", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT")],
    *[("AU", subtype) for subtype in ("PCM_16", "PCM_24", "PCM_32", "FLOAT")],
    ("CAF", "PCM_16"),
    ("W64", "PCM_16"),
    ("RF64", "PCM_16"),
    ("NIST", "PCM_16"),
]
LOSSY = [
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("WAV", "ULAW"),
    ("WAV", "MS_ADPCM"),
    ("NIST", "ALAW"),
]


def tone(seconds: float = 0.5, rate: int = 16_000, hertz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def stored(samples: np.ndarray, rate: int = 16_000, format: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize(("format", "subtype"), LOSSLESS)
def test_lossless_formats_give_the_samples(format: str, subtype: str) -> None:
    samples = tone()
    read = AudioReader(16_000, len(samples)).read(stored(samples, format=format, subtype=subtype))
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, samples, atol=1 / 100 if subtype in ("PCM_U8", "PCM_S8") else 1 / 32_000)


@pytest.mark.parametrize(("format", "subtype"), LOSSY)
def test_lossy_formats_sound_alike(format: str, subtype: str) -> None:
    read = AudioReader(16_000, 8000).read(stored(tone(), format=format, subtype=subtype))[1000:7000]
    spectrum = np.abs(np.fft.rfft(read * np.hanning(6000)))
    assert abs(np.argmax(spectrum) * 16_000 / 6000 - 440) < 3
    assert 0.3 < np.abs(read).max() < 0.6


@pytest.mark.parametrize(("format", "subtype"), LOSSLESS + LOSSY)
def test_a_truncated_file_is_an_error(format: str, subtype: str) -> None:
    content = stored(tone(1.0), format=format, subtype=subtype)
    for share in (0.0, 0.1, 0.5, 0.9, 0.999):
        with pytest.raises(InputError) as error:
            decode(content[: int(len(content) * share)])
        assert "\n" not in str(error.value)


def test_a_length_that_a_pipe_left_unknown_is_no_truncation() -> None:
    content = bytearray(stored(tone()))
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    assert len(decode(bytes(content)).waveform) == 8000


def test_a_flac_of_unknown_length_says_what_to_do() -> None:
    content = bytearray(stored(tone(), format="FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    with pytest.raises(InputError, match="how long it is"):
        decode(bytes(content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(100), "MP4.*FLAC"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "WebM"),
        (b"#!AMR\n" + bytes(100), "AMR"),
        (b"\xff\xf1\x50\x80" + bytes(100), "AAC"),
        (b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n" + bytes(1000), "SPHERE"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"no sound at all, but text" * 10, "not a sound"),
        ("a text", "a text"),
    ],
)
def test_says_why_a_file_cannot_be_read(content: bytes | str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        AudioReader(8000, 100).read(content)


def test_a_sound_without_samples_is_an_error() -> None:
    with pytest.raises(InputError, match="no samples"):
        decode(stored(np.zeros(0, np.float32)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_an_error(value: float) -> None:
    samples = tone()
    samples[100] = value
    with pytest.raises(InputError, match="not numbers"):
        decode(stored(samples, subtype="FLOAT"))


def test_channels_are_averaged() -> None:
    stereo = np.stack([tone(), np.zeros(8000, np.float32)], axis=1)
    read = AudioReader(16_000, 8000).read(stored(stereo, subtype="FLOAT"))
    np.testing.assert_allclose(read, tone() / 2, atol=1e-6)


@pytest.mark.parametrize(("channel", "expected"), [("left", 1.0), ("right", 0.5), (1, 1.0), (2, 0.5), (3, 0.25)])
def test_one_channel_is_chosen(channel: str | int, expected: float) -> None:
    three = np.stack([tone(), tone() / 2, tone() / 4], axis=1)
    read = AudioReader(16_000, 8000, channel=channel).read(stored(three, subtype="FLOAT"))
    np.testing.assert_allclose(read, tone() * expected, atol=1e-6)


@pytest.mark.parametrize("channel", ["right", 4])
def test_a_channel_that_is_not_there_is_an_error(channel: str | int) -> None:
    with pytest.raises(InputError, match=rf"{channel}, but the sound has 1 channel$"):
        AudioReader(16_000, 8000, channel=channel).read(stored(tone()))


def test_beyond_full_scale_is_scaled_not_clipped() -> None:
    read = AudioReader(16_000, 8000).read(stored(tone(level=0.5) * 6000, subtype="FLOAT"))
    np.testing.assert_allclose(read, tone(level=0.5) / np.abs(tone(level=0.5)).max(), atol=1e-6)


@pytest.mark.parametrize(("source", "target"), [(44_100, 16_000), (8000, 16_000), (16_000, 22_050), (96_000, 8000)])
def test_resampling_keeps_a_tone(source: int, target: int) -> None:
    read = AudioReader(target, target // 2).read(stored(tone(0.5, source), source, subtype="FLOAT"))
    inner = slice(target // 20, -target // 20)
    np.testing.assert_allclose(read[inner], tone(0.5, target)[inner], atol=2e-3)


def test_resampling_does_not_fold_high_tones_down() -> None:
    read = AudioReader(8000, 4000).read(stored(tone(0.5, 44_100, hertz=6000), 44_100))
    assert np.abs(read[400:-400]).max() < 1e-3


def test_cutting_before_resampling_moves_a_clip_by_less_than_a_sample() -> None:
    noise = np.random.default_rng(0).normal(size=441_000)
    long = np.convolve(noise, np.hanning(200) / 60, mode="same").astype(np.float32)  # nothing changes within a sample
    whole = AudioReader(16_000, 160_000).read(stored(long, 44_100, subtype="FLOAT"))
    middle = AudioReader(16_000, 16_000).read(stored(long, 44_100, subtype="FLOAT"))
    assert np.abs(middle - whole[72_000:88_000]).max() < 0.03 * np.abs(middle).max()


def test_pad_repeat_crop_and_loudest() -> None:
    ramp = np.arange(1, 11, dtype=np.float32) / 16
    content = stored(ramp, subtype="FLOAT")
    zeros = np.zeros
    np.testing.assert_array_equal(AudioReader(16_000, 4).read(content), ramp[3:7])
    np.testing.assert_array_equal(AudioReader(16_000, 4, "repeat").read(content), ramp[3:7])
    np.testing.assert_array_equal(AudioReader(16_000, 4, "crop").read(content), ramp[3:7])
    np.testing.assert_array_equal(AudioReader(16_000, 4, "loudest").read(content), ramp[6:])
    for fit in ("pad", "crop", "loudest"):
        expected = np.concatenate([zeros(2), ramp, zeros(3)])
        np.testing.assert_array_equal(AudioReader(16_000, 15, fit).read(content), expected)
    np.testing.assert_array_equal(AudioReader(16_000, 25, "repeat").read(content), [*ramp, *ramp, *ramp[:5]])


@given(
    length=st.integers(1, 300),
    target=st.integers(1, 300),
    rate=st.sampled_from([8000, 11_025, 48_000]),
    fit=st.sampled_from(FIT),
)
def test_every_length_fits(length: int, target: int, rate: int, fit: str) -> None:
    read = AudioReader(8000, target, fit).read(stored(tone(1.0, rate)[:length], rate))
    assert read.shape == (target,)
    assert read.dtype == np.float32
    assert np.abs(read).max() <= 1


def test_inspect_tells_the_facts() -> None:
    stereo = np.stack([tone(1.5, 22_050)] * 2, axis=1)
    facts = inspect(stored(stereo, 22_050))
    assert (facts.format, facts.sample_rate, facts.seconds, facts.channels) == ("WAV", 22_050, 1.5, 2)
    assert facts.peak == pytest.approx(0.5, abs=1e-3)
    assert facts.rms == pytest.approx(0.5 / np.sqrt(2), abs=1e-3)


def facts_of(rate: int, seconds: float) -> AudioFacts:
    return AudioFacts("WAV", rate, seconds, 1, 0.5, 0.1)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([facts_of(16_000, 1.0)] * 3, (16_000, 1.0)),
        ([facts_of(44_100, 5.0001)] * 3, (44_100, 5.0)),
        ([facts_of(96_000, 0.73)], (44_100, 0.8)),
        ([facts_of(8000, 3.2), facts_of(8000, 3.2), facts_of(16_000, 3.2)], (8000, 3.5)),
        ([facts_of(8000, 1.0), facts_of(16_000, 1.0)], (16_000, 1.0)),
        ([facts_of(22_050, 30.0)], (22_050, 10.0)),
        ([facts_of(8000, 0.01)], (8000, 0.1)),
        ([facts_of(8000, 0.5)] * 99 + [facts_of(8000, 60.0)], (8000, 0.5)),  # one long clip in a hundred
    ],
)
def test_auto_settings(facts: list[AudioFacts], expected: tuple[int, float]) -> None:
    assert auto_settings(facts) == expected


def test_auto_settings_need_a_sound() -> None:
    with pytest.raises(UsageError, match="at least one"):
        auto_settings([])


def test_settings_give_the_reader_back() -> None:
    reader = AudioReader(8000, 100, "repeat")
    assert AudioReader(**reader.settings()) == reader
    assert reader.collate([reader.read(stored(tone()))] * 3).shape == (3, 100)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fit": "padd"}, "did you mean pad"),
        ({"channel": "middle"}, "not middle"),
        ({"channel": 0}, "not 0"),
        ({"overlap": 1.0}, "not 1.0"),
        ({"samples": 0}, "0 samples"),
        ({"sample_rate": 0}, "0 Hz"),
    ],
)
def test_refuses_wrong_settings(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        AudioReader(**({"sample_rate": 8000, "samples": 100} | options))
