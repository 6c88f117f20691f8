"""Clips of any length as pictures of one size: the spectrogram of each clip alone, resized along time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Stretch:
    """What `audio.fit: stretch` does to spectrograms.

    Palanisamy, Singhania and Yao 2020, "Rethinking CNN Models for Audio Classification", resize every spectrogram to
    the same number of frames, whatever the length of the clip; as a picture is resized, see `resizing`.

    A batch has waveforms of one length, each with zeros around the clip. The clip is moved to the front, and behind its
    end it goes on mirrored, which is what a mel spectrogram makes of a sound's end. So the frames that begin with the
    clip are those of the clip alone; later ones have no weight.

    Args:
        samples: the length of every waveform.
        hop: samples from frame to frame.
        reach: how many mirrored samples the spectrogram looks at behind the end; 0 where zeros are there.
        frames: columns of the picture.
    """

    samples: int
    hop: int
    reach: int
    frames: int

    def __call__(self, x: Tensor, spectrogram: Callable[[Tensor], Tensor]) -> Tensor:
        """The picture of each clip.

        Args:
            x: waveforms, [batch, samples].
            spectrogram: [batch, samples + reach] to [batch, bands, frames].

        Returns:
            [batch, bands, frames].
        """
        first, length = extent(x)
        at = torch.arange(self.samples + self.reach, device=x.device)
        period = (2 * (length - 1)).clamp_min(1)
        place = at % period
        alone = x.gather(1, first + torch.minimum(place, period - place)) * (at < length + self.reach)
        most = 1 + self.samples // self.hop
        return spectrogram(alone)[..., :most] @ resizing(1 + length // self.hop, most, self.frames)


def extent(x: Tensor) -> tuple[Tensor, Tensor]:
    """Where the clips lie in waveforms with zeros around them.

    Args:
        x: [batch, samples].

    Returns:
        The first sample that is not 0, and how many there are up to the last one, int64 [batch, 1] each. Of zeros alone
        it is all of them.
    """
    sounding = (x != 0).to(x.dtype)
    first = sounding.argmax(dim=1, keepdim=True)
    behind = sounding.flip(1).argmax(dim=1, keepdim=True)
    return first, x.shape[1] - behind - first


def resizing(before: Tensor, most: int, after: int) -> Tensor:
    """The matrices by which rows become longer or shorter as Pillow's bilinear filter makes them (with antialiasing).

    A row times its matrix is the resized row; each column sums to 1. With pixels as long as 1, new pixel j's middle is
    at (j + 1/2) before/after, and its triangle is as wide as the longer pixel of the two; times 2 `after` all are whole
    numbers.

    Args:
        before: how long each row is, int64 [batch, 1].
        most: the length that the rows are filled up to, at least the largest of `before`.
        after: how long each row becomes.

    Returns:
        float32 [batch, most, after].
    """
    before = before[..., None]
    old = torch.arange(most, device=before.device)[:, None]
    new = torch.arange(after, device=before.device)
    distance = ((2 * old + 1) * after - (2 * new + 1) * before).abs()
    weights = ((2 * before.clamp_min(after) - distance).clamp_min(0) * (old < before)).float()
    return weights / weights.sum(dim=1, keepdim=True)
