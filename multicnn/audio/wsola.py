"""Longer or shorter, at the same pitch."""

import torch
from torch import Tensor
from torch.nn import functional

COARSE_RATE = 4000  # Hz; the first search hears no more than half of it
COMPARED = 128  # samples that a search compares, if there are so many, spread evenly


def stretched(x: Tensor, rate: Tensor, samples: int, sample_rate: int) -> Tensor:
    """Plays each sound faster or slower without changing its pitch (WSOLA).

    Verhelst and Roelands 1993, "An Overlap-Add Technique Based on Waveform Similarity (WSOLA) for High Quality
    Time-Scale Modification of Speech": windows of 40 ms are laid over each other every 20 ms. Each is taken from near
    where the rate says, up to 10 ms away, and from there where it is likest to what followed the window before: a
    period fits to a period. A coarse search is followed by one to the sample.

    Args:
        x: waveforms, float32 [batch, samples].
        rate: 2 for twice as fast, [batch].
        samples: how many are wanted.
        sample_rate: Hz.

    Returns:
        float32 [batch, samples] from the start on; zeros where a sound is over.
    """
    hop = max(2, sample_rate // 50)
    frames = -(-samples // hop)
    wanted = (hop * rate[:, None] * torch.arange(frames, device=x.device)).round().long()
    starts = _starts(x, wanted, hop, sample_rate)
    padded = _room(x, 0, 2 * hop + int(starts.max()))
    rows = torch.arange(len(x), device=x.device)[:, None]
    windows = padded.unfold(1, 2 * hop, 1)[rows, starts]
    first, second = windows[..., :hop], windows[..., hop:]
    fade = torch.hann_window(2 * hop, device=x.device)[:hop]
    faded = torch.cat([first[:, :1], second[:, :-1].lerp(first[:, 1:], fade)], 1)
    return faded.flatten(1)[:, :samples]


def _starts(x: Tensor, wanted: Tensor, hop: int, sample_rate: int) -> Tensor:
    """Where each window is taken from, [batch, frames], near where it is wanted."""
    step = max(1, sample_rate // COARSE_RATE)
    reach = max(1, hop // (2 * step))
    length = max(2, hop // step)
    room = int(wanted.max()) + 2 * hop + step * (reach + length)
    coarse = _Search(functional.avg_pool1d(_room(x, step * reach, room)[:, None], step)[:, 0], length, reach)
    fine = _Search(_room(x, step, room), hop, step) if step > 1 else None
    start = wanted[:, 0]
    starts = [start]
    for aim in (wanted // step).unbind(1)[1:]:
        natural = start + hop
        start = (step * coarse.nearest(aim, natural // step)).clamp_min(0)
        start = fine.nearest(start, natural).clamp_min(0) if fine else start
        starts.append(start)
    return torch.stack(starts, 1)


def _room(x: Tensor, before: int, least: int) -> Tensor:
    """Zeros before a sound, and behind it up to a length of `least`."""
    return functional.pad(x, (before, max(0, least - x.shape[1])))


class _Search:
    """Finds the place near another one at which a sound is likest to itself at a third.

    Args:
        x: waveforms behind `reach` zeros, [batch, samples].
        length: the stretch that is compared.
        reach: how far away the place may be.
    """

    def __init__(self, x: Tensor, length: int, reach: int) -> None:
        self.length, self.reach = length, reach
        self.every = max(1, length // COMPARED)
        self.pieces = x.unfold(1, length, 1)[..., :: self.every]
        self.regions = x.unfold(1, length + 2 * reach, 1)
        self.rows = torch.arange(len(x), device=x.device)

    def nearest(self, aim: Tensor, model: Tensor) -> Tensor:
        """The place that differs least from `model` in squares, at most `reach` from `aim`; all [batch]."""
        candidates = self.regions[self.rows, aim].unfold(1, self.length, 1)[..., :: self.every]
        differences = candidates - self.pieces[self.rows, model + self.reach][:, None]
        return aim - self.reach + differences.square_().sum(2).argmin(1)
