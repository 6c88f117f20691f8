"""Layers along time for texts of different lengths: what pads a text never counts."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.arithmetic import Field, run_on_meta
from multicnn.blocks.layers import layer_table
from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_dynamic_k import DynamicKMaxPool
from multicnn.language.chain import Link

# Long enough for every window of a layer to fit several times.
PROBED = 512


class Timed(nn.Module):
    """A layer that answers for a text as if the text stood alone, however far its batch is padded.

    Zeros follow the text, as many as the layer looks ahead, so that its last answers never see the end of the batch;
    answers behind the text become zeros. A window counts when it lies in the text, and the first one always does.

    Args:
        layer: [batch, channels, time] to the same; of pools for texts, those that take a mask.
        channels: of its input.

    Raises:
        ValueError: a layer that is no window along time.
    """

    def __init__(self, layer: nn.Module, channels: int) -> None:
        super().__init__()
        self.layer = layer
        self.takes_mask = "mask" in inspect.signature(layer.forward).parameters
        self.border = -torch.inf if isinstance(layer, MaxPool) else 0.0  # a maximum of negative values is no zero
        self.window = _window(layer, channels)
        if self.window:
            self.behind = _padding_behind(layer, channels, self.window)
        elif not self.takes_mask:
            raise ValueError(f"{type(layer).__name__} is no window along time")

    def forward(self, x: Tensor, mask: Tensor, sentence: Tensor) -> tuple[Tensor, Tensor]:
        """Applies the layer.

        Args:
            x: [batch, channels, time], zeros where the mask is False.
            mask: True where x is real, [batch, time].
            sentence: the mask of the words that came first, [batch, words].

        Returns:
            The answers, and their mask; where a pooling leaves no time, the mask as it was.
        """
        if isinstance(self.layer, DynamicKMaxPool):
            y, mask = self.layer(x, mask, sentence)
            return y, mask
        return self._slide(x, mask, *self.window) if self.window else (self.layer(x, mask=mask), mask)

    def _slide(self, x: Tensor, mask: Tensor, size: int, step: int, before: int) -> tuple[Tensor, Tensor]:
        if self.border:
            x = x.masked_fill(~mask[:, None], self.border)
        seen = {"mask": functional.pad(mask, (0, size - 1))} if self.takes_mask else {}
        y = self.layer(functional.pad(x, (0, size - 1), value=self.border), **seen)
        surplus = before + self.behind - size
        places: Any = torch.sym_max(1, (x.shape[-1] + surplus) // step + 1)
        if (step, surplus) != (1, -1):  # else there are as many answers as words
            real = ((mask.sum(-1) + surplus) // step + 1).clamp(min=1)
            mask = torch.arange(places, device=x.device) < real[:, None]
        return y[..., :places].masked_fill(~mask[:, None], 0.0), mask


class TimedChain(nn.Module):
    """Layers along time, one after the other: [batch, channels, time] and a mask to what the last one gives.

    Args:
        links: those that work along a time of no fixed length.
        channels: of the first one's input.
    """

    def __init__(self, links: Sequence[Link], channels: int) -> None:
        super().__init__()
        for link in links:
            self.add_module(link.name, Timed(link.module, channels))
            channels = link.channels

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Real words first, padding behind; mask [batch, time]."""
        sentence = mask
        x = x.masked_fill(~mask[:, None], 0.0)
        for step in self.children():
            x, mask = step(x, mask, sentence)
        return x


def _window(layer: nn.Module, channels: int) -> Field | None:
    """What one place of a layer's answer sees of its input along time; None where the answer has no such places."""
    if isinstance(layer, DynamicKMaxPool):
        return None
    lines = layer_table(layer, torch.empty(1, channels, PROBED))
    fields = lines[-1].fields if lines else (Field(),)
    return fields[-1] if fields else None


def _padding_behind(layer: nn.Module, channels: int, window: Field) -> int:
    """How far the last window reaches over the end: what explains the layer's output at several lengths."""
    lengths = range(PROBED, PROBED + window.stride)
    outputs = [run_on_meta(layer, torch.empty(2, channels, length)).shape[-1] for length in lengths]
    for behind in range(window.size + window.stride):
        room = window.padding + behind - window.size
        if all((length + room) // window.stride + 1 == out for length, out in zip(lengths, outputs, strict=True)):
            return behind
    raise ValueError(f"{type(layer).__name__} is no window along time")
