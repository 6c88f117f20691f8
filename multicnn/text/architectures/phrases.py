"""Filters over words: each answers to a phrase, wherever it stands."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.convolution import Convolution


class PhraseFilters(nn.ModuleList):
    """Convolutions of several widths side by side, one answer for each word that a window ends with.

    Kim 2014, "Convolutional Neural Networks for Sentence Classification", section 2. A window that ends early in a text
    sees zeros before the first word, as in the author's code (github.com/yoonkim/CNN_sentence): a filter can tell what
    a text begins with, and a text shorter than a window has answers too. None sees what is behind the text, so no
    answer depends on how far the text's batch is padded.

    Args:
        channels: the input's channels.
        windows: how many words each kind of filter sees.
        filters: how many there are of each kind.
    """

    def __init__(self, channels: int, windows: Sequence[int], filters: int) -> None:
        if not windows or min(windows) < 1:
            raise ValueError(f"windows are 1 word or more, not {list(windows)}")
        super().__init__(Convolution(channels, filters, window, dims=1) for window in windows)
        self.windows = tuple(windows)
        self.width = len(windows) * filters

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, words], zero where it is padding, to [batch, width, words], window by window."""
        pairs = zip(self.windows, self, strict=True)
        return torch.cat([convolution(functional.pad(x, (window - 1, 0))) for window, convolution in pairs], dim=1)
