"""Random changes to training sounds that leave their class alone; each sound draws its own."""

import torch
from torch import Tensor, nn

OCTAVES = 10


class AudioAugmentation(nn.Module):
    """Level, place in time and noise of waveforms, on the device where they are.

    Zeros stay zeros: what fills up a short clip is no recording, and the front end leaves it out of the clip's level.

    Args:
        gain: louder or softer by up to this many decibels.
        shift: earlier or later by up to this fraction of the clip, 0 to 1; zeros come in, the other end falls off.
        noise: the chance, 0 to 1, that white noise is added.
        snr: the lowest and the highest signal-to-noise ratio of that, in decibels: the power of the sound, where there
            is one, over that of the noise.
    """

    def __init__(
        self, gain: float = 0.0, shift: float = 0.0, noise: float = 0.0, snr: tuple[float, float] = (5.0, 30.0)
    ) -> None:
        super().__init__()
        if gain < 0:
            raise ValueError(f"gain is 0 dB or more, not {gain}")
        if not (0 <= shift <= 1 and 0 <= noise <= 1):
            raise ValueError(f"shift and noise are fractions from 0 to 1, not {shift} and {noise}")
        if snr[0] > snr[1]:
            raise ValueError(f"snr goes from the lowest ratio to the highest, not from {snr[0]:g} to {snr[1]:g} dB")
        self.gain, self.shift, self.noise, self.snr = gain, shift, noise, snr

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Changes a batch; `x` itself is left as it was.

        Args:
            x: waveforms, float32 [batch, samples].
            generator: where the chances come from.

        Returns:
            float32 [batch, samples]; a gain may lift it beyond full scale.
        """
        if self.noise:
            x = self._add_noise(x, generator)
        if self.shift:
            x = self._move(x, generator)
        if self.gain:
            decibels = self.gain * (2 * draw(1, len(x), generator, x)[0] - 1)
            x = x * 10 ** (decibels[:, None] / 20)
        return x

    def _add_noise(self, x: Tensor, generator: torch.Generator) -> Tensor:
        chance = draw(2, len(x), generator, x)
        lowest, highest = self.snr
        ratio = lowest + (highest - lowest) * chance[0]
        sounding = x != 0
        level = (x.square().sum(dim=1) / sounding.sum(dim=1).clamp_min(1)).sqrt()
        amount = torch.where(chance[1] < self.noise, level * 10 ** (-ratio / 20), 0.0)
        noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x.device)
        return x + noise * amount[:, None] * sounding

    def _move(self, x: Tensor, generator: torch.Generator) -> Tensor:
        samples = x.shape[1]
        most = round(self.shift * samples)
        steps = ((2 * most + 1) * draw(1, len(x), generator, x)[0]).long() - most
        origin = torch.arange(samples, device=x.device) - steps[:, None]
        inside = (origin >= 0) & (origin < samples)
        return x.gather(1, origin.clamp_(0, samples - 1)) * inside

    def extra_repr(self) -> str:
        return f"gain={self.gain}, shift={self.shift}, noise={self.noise}, snr={self.snr}"


class Equalizer(nn.Module):
    """Louder and softer frequencies: another room, another microphone.

    Ten gains an octave apart, down from half the sample rate, are drawn for each sound; between them the gain in
    decibels goes straight over the octave.

    Args:
        decibels: the largest gain either way.
    """

    def __init__(self, decibels: float) -> None:
        super().__init__()
        if decibels < 0:
            raise ValueError(f"the equaliser's gain is 0 dB or more, not {decibels}")
        self.decibels = decibels

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Changes a batch, float32 [batch, samples]; zeros stay zeros, `x` itself is left as it was."""
        gains = self.decibels * (2 * draw(OCTAVES, len(x), generator, x).T - 1)
        spectrum = torch.fft.rfft(x)
        share = torch.arange(spectrum.shape[1], device=x.device) / (spectrum.shape[1] - 1)
        octave = (share.log2() + OCTAVES - 1).clamp(0, OCTAVES - 1)
        below = octave.long().clamp_max(OCTAVES - 2)
        gain = gains[:, below].lerp(gains[:, below + 1], octave - below)
        changed: Tensor = torch.fft.irfft(spectrum * 10 ** (gain / 20), n=x.shape[1])
        return changed * (x != 0)

    def extra_repr(self) -> str:
        return f"decibels={self.decibels}"


class SpecAugment(nn.Module):
    """Hides a stretch of time and a range of pitch from the network, so that it listens to all of a sound.

    Park et al. 2019, "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", section 2; one
    mask along each axis, without time warping.

    Args:
        time: the longest stretch, as a fraction of the frames, 0 to 1; its length is uniform from 0 to that.
        frequency: the widest range, as a fraction of the bands.
    """

    def __init__(self, time: float = 0.0, frequency: float = 0.0) -> None:
        super().__init__()
        if not (0 <= time <= 1 and 0 <= frequency <= 1):
            raise ValueError(f"masks are fractions from 0 to 1, not {time} and {frequency}")
        self.time, self.frequency = time, frequency

    @torch.no_grad()
    def _hidden(self, size: int, most: float, x: Tensor, generator: torch.Generator) -> Tensor:
        """True inside one stretch for each example, [batch, size]."""
        chance = draw(2, len(x), generator, x)
        length = chance[0] * most * size
        start = chance[1] * (size - length)
        at = torch.arange(size, device=x.device) + 0.5
        return (at >= start[:, None]) & (at < (start + length)[:, None])

    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Puts zeros, the mean of a normalised spectrogram, into the masks.

        Args:
            x: normalised spectrograms, [batch, channels, mels, frames].
            generator: where the chances come from.

        Returns:
            The same shape and type; `x` itself is left as it was.
        """
        if self.frequency:
            x = x.masked_fill(self._hidden(x.shape[2], self.frequency, x, generator)[:, None, :, None], 0.0)
        if self.time:
            x = x.masked_fill(self._hidden(x.shape[3], self.time, x, generator)[:, None, None, :], 0.0)
        return x

    def extra_repr(self) -> str:
        return f"time={self.time}, frequency={self.frequency}"


def draw(rows: int, batch: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """Chances in [0, 1), [rows, batch], drawn where the generator lives and moved to where the sounds are."""
    return torch.rand(rows, batch, generator=generator, device=generator.device).to(like.device)
