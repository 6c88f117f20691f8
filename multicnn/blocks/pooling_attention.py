"""Pooling that learns where to look."""

import torch
from torch import Tensor, nn


class AttentionPool(nn.Module):
    """Each channel becomes a weighted mean, and the weights are learned: what matters counts more.

    A small network gives each place a score from its channels, and a softmax over the places makes weights of them.
    Ilse et al. 2018, "Attention-based Deep Multiple Instance Learning", equations 7 and 8.

    Args:
        channels: the input's channels.
        hidden: the width of the small network.
    """

    def __init__(self, channels: int, hidden: int = 128) -> None:
        super().__init__()
        if min(channels, hidden) < 1:
            raise ValueError(f"attention needs at least 1 channel and 1 hidden unit, not {channels} and {hidden}")
        self.hidden = nn.Linear(channels, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)  # a softmax does not see what is added to all its inputs
        nn.init.kaiming_normal_(self.hidden.weight, nonlinearity="tanh")
        nn.init.kaiming_normal_(self.score.weight, nonlinearity="linear")
        nn.init.zeros_(self.hidden.bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pools over all axes after the channels.

        Args:
            x: [batch, channels, ...].
            mask: True where x is real and not padding, [batch, ...].

        Returns:
            [batch, channels]; zeros where nothing is real.
        """
        return (x.flatten(2) @ self.weights(x, mask)[..., None])[..., 0]

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much each place counts: [batch, places], rows that sum to 1, zeros where nothing is real."""
        places = x.flatten(2).transpose(1, 2)
        scores: Tensor = self.score(self.hidden(places).tanh())[..., 0]
        if mask is None:
            return scores.softmax(-1)
        padding = ~mask.flatten(1)
        lowest = torch.finfo(scores.dtype).min  # finite: a row without anything real would give no numbers
        return scores.masked_fill(padding, lowest).softmax(-1).masked_fill(padding, 0.0)
