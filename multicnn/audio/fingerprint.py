"""Fingerprints of sounds, by which copies are found that were encoded anew, made louder, shifted or cut. Torch-free.

Haitsma and Kalker 2002, "A Highly Robust Audio Fingerprinting System": 32 bits for each frame, the signs of how the
differences of neighbouring bands' energies change from frame to frame.
"""

from collections.abc import Sequence

import numpy as np
import soxr

from multicnn.audio.decode import decode
from multicnn.data.example import Content

RATE = 5512  # Hz
FRAME, HOP = 2048, 128  # samples; the paper's hop is half as long
LOWEST, HIGHEST, BANDS = 300.0, 2000.0, 33  # Hz
SILENT = 1e-6  # of the loudest frame's energy
APART = 8  # frames
NEIGHBOURS = 8  # with how many of the places with the same bits a place is compared
LEAST_VOTES = 2
LEAST_FRAMES = 86  # that two sounds must share: 2 s
MOST_ERRORS = 0.3  # of the bits; of unrelated sounds half of them differ
SHORTEST = FRAME + LEAST_FRAMES * HOP  # samples
CHUNK = 1024  # frames that are transformed at once


def fingerprint(content: Content) -> np.ndarray:
    """The bits of each frame.

    Returns:
        uint32 [frames], a frame every 23 ms; 0 where it is silent, and no frames for sounds under 2.4 s.

    Raises:
        InputError: the sound cannot be read.
    """
    sound = decode(content)
    if len(sound.waveform) * RATE < SHORTEST * sound.sample_rate:
        return np.zeros(0, np.uint32)
    waveform = soxr.resample(sound.waveform, sound.sample_rate, RATE, "MQ")
    frames = np.lib.stride_tricks.sliding_window_view(waveform, FRAME)[::HOP]
    energy = np.concatenate([_energies(frames[start : start + CHUNK]) for start in range(0, len(frames), CHUNK)])
    bits = np.diff(np.diff(energy, axis=1), axis=0) < 0
    words = np.packbits(bits, axis=1).view(">u4")[:, 0].astype(np.uint32)
    loudness = energy.sum(1)
    return np.where(loudness[1:] > SILENT * max(float(loudness.max()), 1e-12), words, 0)


def _energies(frames: np.ndarray) -> np.ndarray:
    """The energy in each band, [frames, 33], of [frames, samples]."""
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), axis=1)) ** 2
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1) * FRAME / RATE
    energy: np.ndarray = np.add.reduceat(power, edges.round().astype(int), axis=1)[:, :BANDS]
    return energy


def find_copies(fingerprints: Sequence[np.ndarray]) -> list[tuple[int, int, float]]:
    """Which sounds are copies of which.

    Args:
        fingerprints: of each sound.

    Returns:
        The numbers of two sounds, the lower one first, and how many seconds later the same is heard in the first.
    """
    found = []
    for one, other, lag in _candidates(fingerprints):
        start = max(0, lag)
        first, second = fingerprints[one][start:], fingerprints[other][start - lag :]
        shared = min(len(first), len(second))
        first, second = first[:shared], second[:shared]
        heard = (first != 0) & (second != 0)
        count = int(heard.sum())
        errors = int(np.bitwise_count(first[heard] ^ second[heard]).sum())
        if count >= LEAST_FRAMES and errors <= MOST_ERRORS * 32 * count:
            found.append((one, other, lag * HOP / RATE))
    return found


def _candidates(fingerprints: Sequence[np.ndarray]) -> list[tuple[int, int, int]]:
    """Two sounds and a lag in frames, for all that agree in several places at that lag."""
    if not fingerprints:
        return []
    longest = max(map(len, fingerprints)) + 1
    lags = [_lags(*_keys(fingerprints, band), len(fingerprints), longest) for band in range(4)]
    votes, counts = np.unique(np.concatenate(lags), return_counts=True)
    best: dict[int, tuple[int, int]] = {}
    for vote, count in zip(votes.tolist(), counts.tolist(), strict=True):
        pair, lag = divmod(vote, 2 * longest)
        if count >= max(LEAST_VOTES, best.get(pair, (0, 0))[0] + 1):
            best[pair] = (count, lag - longest)
    return [(*divmod(pair, len(fingerprints)), lag) for pair, (_, lag) in best.items()]


def _keys(fingerprints: Sequence[np.ndarray], band: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A quarter of the bands in three frames apart from each other; some such piece survives where no whole frame does.

    Returns:
        The 24 bits, the sound's number and the frame's, of all places that are not silent.
    """
    keys, sounds, places = [], [], []
    for number, words in enumerate(fingerprints):
        reach = len(words) - 2 * APART
        three = [words[step * APART :][: max(0, reach)] for step in range(3)]
        heard = np.flatnonzero((three[0] != 0) & (three[1] != 0) & (three[2] != 0))
        bits = [(one[heard] >> np.uint32(8 * band)) & np.uint32(255) for one in three]
        keys.append(bits[0] | bits[1] << np.uint32(8) | bits[2] << np.uint32(16))
        sounds.append(np.full(len(heard), number))
        places.append(heard)
    return np.concatenate(keys), np.concatenate(sounds), np.concatenate(places)


def _lags(keys: np.ndarray, sounds: np.ndarray, places: np.ndarray, count: int, longest: int) -> np.ndarray:
    """Every two places with the same key in two sounds, as one number: the pair, and how far they are apart."""
    order = np.lexsort((places, sounds, keys))
    keys, sounds, places = keys[order], sounds[order], places[order]
    found = []
    for step in range(1, NEIGHBOURS + 1):
        same = np.flatnonzero((keys[step:] == keys[:-step]) & (sounds[step:] != sounds[:-step]))
        pair = sounds[same] * count + sounds[same + step]
        found.append(pair * 2 * longest + places[same] - places[same + step] + longest)
    return np.concatenate(found)
