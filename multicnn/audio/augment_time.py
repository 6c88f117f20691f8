"""Random changes to the pitch and the tempo of training sounds; each sound draws its own."""

from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.audio.augment import draw
from multicnn.audio.wsola import stretched

# Semitones -> the ratio of frequencies, in whole numbers: within 4 hundredths of a semitone, and quickly resampled.
SEMITONES = {-2: (8, 9), -1: (17, 18), 0: (1, 1), 1: (18, 17), 2: (9, 8)}
SLOWEST, FASTEST = 0.9, 1.2


class PitchAndTempo(nn.Module):
    """A pitch shift by a whole number of semitones from -2 to 2, then a tempo from 0.9 to 1.2.

    The augmentation of Palanisamy et al. 2020, "Rethinking CNN Models for Audio Classification", after which the epoch
    has each sound twice, as it is and changed: `turn` says whose turn it is, so that two epochs are their one. The
    pitch shift is a resampling, and the tempo that it brings along is undone by the one stretch that is needed anyhow.
    librosa does the same by two phase vocoders; `benchmarks/audio_augment.py` measures both.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator, turn: Tensor | None = None) -> Tensor:
        """Changes a batch; `x` itself is left as it was.

        Args:
            x: waveforms, float32 [batch, samples].
            generator: where the chances come from.
            turn: which sounds are changed, [batch]; None for all.

        Returns:
            float32 [batch, samples]: the middle of what became longer, zeros around what became shorter.
        """
        chance = draw(2, len(x), generator, x)
        semitones = (len(SEMITONES) * chance[0]).long() + min(SEMITONES)
        tempo = SLOWEST + (FASTEST - SLOWEST) * chance[1]
        if turn is None:
            return shifted(x, semitones, tempo, self.sample_rate)
        changed = x.clone()
        if turn.any():
            changed[turn] = shifted(x[turn], semitones[turn], tempo[turn], self.sample_rate)
        return changed


class Speed(nn.Module):
    """Slower, as it is, or faster, with equal chances; pitch and tempo change together.

    Ko et al. 2015, "Audio Augmentation for Speech Recognition", section 2: speeds of 0.9, 1 and 1.1.

    Args:
        change: the difference from 1 in hundredths at least, 0 up to 0.5.
    """

    def __init__(self, change: float) -> None:
        super().__init__()
        if not 0 <= change <= 0.5:
            raise ValueError(f"the speed changes by a share from 0 to 0.5, not by {change}")
        self.ratios = [_ratio(round(100 * (1 + sign * change)), 100) for sign in (-1, 0, 1)]

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Changes a batch, float32 [batch, samples]; the middle is kept, and zeros are around what became shorter."""
        chosen = (len(self.ratios) * draw(1, len(x), generator, x)[0]).long()
        return centred(resampled(x, chosen, self.ratios), _values(self.ratios, x)[chosen], x)


def shifted(x: Tensor, semitones: Tensor, tempo: Tensor, sample_rate: int) -> Tensor:
    """Changes pitch and tempo of each sound by its own amount.

    Args:
        x: waveforms, float32 [batch, samples].
        semitones: whole numbers from -2 to 2, [batch].
        tempo: 2 for twice as fast, [batch].
        sample_rate: Hz.

    Returns:
        float32 [batch, samples], as `centred`.
    """
    ratios = list(SEMITONES.values())
    which = semitones - min(SEMITONES)
    pitched = resampled(x, which, ratios)
    samples = round(x.shape[1] * (1 + 1 / float(tempo.min())) / 2) + 1  # what `centred` takes, and no more
    longer = stretched(pitched, tempo / _values(ratios, x)[which], samples, sample_rate)
    return centred(longer, tempo, x)


def resampled(x: Tensor, chosen: Tensor, ratios: list[tuple[int, int]]) -> Tensor:
    """Plays each sound at one of a few speeds.

    Args:
        x: waveforms, [batch, samples].
        chosen: which ratio, [batch].
        ratios: speeds as fractions, numerator and denominator.

    Returns:
        [batch, as many samples as the longest has], zeros behind the others.
    """
    from torchaudio.functional import resample

    table = x.new_zeros(len(x), max(-(-x.shape[1] * slow // fast) for fast, slow in ratios))
    for number, (fast, slow) in enumerate(ratios):
        ours = (chosen == number).nonzero()[:, 0]
        if len(ours):
            played = resample(x[ours], fast, slow)
            table[ours, : played.shape[1]] = played
    return table


def centred(y: Tensor, speed: Tensor, x: Tensor) -> Tensor:
    """Cuts or fills up sounds that were played at another speed, so that their middles stay in the middle.

    Zeros that filled up a short clip stay zeros: the front end leaves them out of the clip's level.

    Args:
        y: what became of `x`, [batch, other samples].
        speed: sample `i` of `x` is at `i / speed` in `y`, [batch].
        x: the sounds before, [batch, samples].

    Returns:
        [batch, samples].
    """
    samples = x.shape[1]
    sounding = (x != 0).to(torch.uint8)
    first, last = sounding.argmax(1, keepdim=True), samples - 1 - sounding.flip(1).argmax(1, keepdim=True)
    offset = (samples * (1 / speed - 1) / 2).round().int()
    before, behind = int((-offset).max().clamp_min(0)), int((offset + samples - y.shape[1]).max().clamp_min(0))
    places = functional.pad(y, (before, behind)).unfold(1, samples, 1)
    kept = places[torch.arange(len(x), device=x.device), before + offset]
    at = torch.arange(samples, device=x.device, dtype=torch.int32)
    start, end = (first[:, 0] / speed - offset).ceil().int(), (last[:, 0] / speed - offset).floor().int()
    return kept.masked_fill_((at < start[:, None]) | (at > end[:, None]), 0.0)


def _ratio(numerator: int, denominator: int) -> tuple[int, int]:
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def _values(ratios: list[tuple[int, int]], like: Tensor) -> Tensor:
    return torch.tensor([fast / slow for fast, slow in ratios], device=like.device)
