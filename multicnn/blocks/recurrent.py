"""Recurrent layers: read a sequence from its beginning and remember what matters."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

# ONNX's names, and its order of the gates among torch's.
LAYERS: dict[str, tuple[Callable[..., nn.Module], str, list[int]]] = {
    "lstm": (nn.LSTM, "LSTM", [0, 3, 1, 2]),  # input, forget, cell, output there; input, output, forget, cell in ONNX
    "gru": (nn.GRU, "GRU", [1, 0, 2]),  # reset, update, hidden there; update, reset, hidden in ONNX
}
OPSET = 18


class Recurrent(nn.Module):
    """Reads a sequence step by step into a state, and gives the state behind the last real step.

    LSTM: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", with the forget gate of Gers et al. 2000. GRU:
    Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", section 2.3, with the reset gate
    behind the matrix, as torch and cuDNN have it.

    An export holds ONNX's own operator, so that batch and time stay free there; torch.export would unroll the steps.

    Args:
        channels: the input's channels.
        hidden: how many numbers the state has.
        kind: lstm or gru.
    """

    def __init__(self, channels: int, hidden: int, kind: str = "lstm") -> None:
        super().__init__()
        if kind not in LAYERS:
            raise ValueError(f"a recurrent layer is {' or '.join(LAYERS)}, not {kind}")
        if min(channels, hidden) < 1:
            raise ValueError(f"a recurrent layer has 1 channel and 1 number at least, not {channels} and {hidden}")
        self.kind, self.hidden = kind, hidden
        self.layer = LAYERS[kind][0](channels, hidden, batch_first=True)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Reads along the last axis.

        Args:
            x: [batch, channels, time].
            mask: True where x is real, [batch, time]; padding lies behind the real steps.

        Returns:
            [batch, hidden]; zeros where nothing is real.
        """
        mask = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
        lengths = mask.sum(1)
        if torch.onnx.is_in_onnx_export():
            return self._as_onnx(x, lengths)
        states, _ = self.layer(x.transpose(1, 2))
        last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, self.hidden)
        state: Tensor = states.gather(1, last)[:, 0]
        return state.masked_fill(lengths[:, None] == 0, 0.0)

    def _as_onnx(self, x: Tensor, lengths: Tensor) -> Tensor:
        """ONNX's operator, which takes [time, batch, channels] and the length of each sequence."""
        layer: Any = self.layer
        operator = LAYERS[self.kind][1]
        weights = [self._gates(layer.weight_ih_l0), self._gates(layer.weight_hh_l0)]
        biases = torch.cat([self._gates(layer.bias_ih_l0), self._gates(layer.bias_hh_l0)], dim=1)
        settings: dict[str, Any] = {"hidden_size": self.hidden}
        if self.kind == "gru":
            settings["linear_before_reset"] = 1
        batch, _, time = x.shape
        _, state = torch.onnx.ops.symbolic_multi_out(
            operator,
            [x.permute(2, 0, 1), *weights, biases, lengths.int()],
            settings,
            dtypes=[x.dtype] * 2,
            shapes=[[time, 1, batch, self.hidden], [1, batch, self.hidden]],
            version=OPSET,
        )
        return state[0].masked_fill(lengths[:, None] == 0, 0.0)

    def _gates(self, weight: Tensor) -> Tensor:
        """A layer's weights or biases, [gates * hidden, ...], as ONNX has them: [1, gates * hidden, ...]."""
        order = LAYERS[self.kind][2]
        return weight.reshape(len(order), self.hidden, *weight.shape[1:])[order].flatten(0, 1)[None]
