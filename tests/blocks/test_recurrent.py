import numpy as np
import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx
from torch import Tensor, nn

from multicnn.blocks.recurrent import Recurrent


def seeded(kind: str, channels: int = 3, hidden: int = 4) -> Recurrent:
    torch.manual_seed(0)
    return Recurrent(channels, hidden, kind)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def by_hand(block: Recurrent, steps: np.ndarray) -> np.ndarray:
    """The definition, for one sequence [time, channels]."""
    layer = block.layer
    w, u, b, c = (
        getattr(layer, f"{name}_l0").detach().numpy() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    state = memory = np.zeros(block.hidden, np.float32)
    for x in steps:
        seen, remembered = w @ x + b, u @ state + c
        if block.kind == "lstm":
            i, f, g, o = np.split(seen + remembered, 4)
            memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
            state = sigmoid(o) * np.tanh(memory)
        else:
            (r, z, n), (rr, rz, rn) = np.split(seen, 3), np.split(remembered, 3)
            update = sigmoid(z + rz)
            state = (1 - update) * np.tanh(n + sigmoid(r + rr) * rn) + update * state
    return state


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_agrees_with_the_definition_for_each_length(kind: str) -> None:
    block, x = seeded(kind), torch.randn(3, 3, 6)
    lengths = torch.tensor([6, 1, 4])
    states = block(x, torch.arange(6) < lengths[:, None])
    for row, length in enumerate(lengths.tolist()):
        expected = by_hand(block, x[row, :, :length].numpy().T)
        np.testing.assert_allclose(states[row].detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_an_empty_sequence_gives_zeros_and_no_mask_means_all_is_real(kind: str) -> None:
    block, x = seeded(kind), torch.randn(2, 3, 5)
    empty = torch.tensor([[True] * 5, [False] * 5])
    assert not block(x, empty)[1].any()
    assert torch.equal(block(x), block(x, torch.ones(2, 5, dtype=torch.bool)))


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_gradient_reaches_every_weight_and_no_padding(kind: str) -> None:
    block, x = seeded(kind), torch.randn(2, 3, 5, requires_grad=True)
    mask = torch.arange(5) < torch.tensor([[5], [2]])
    assert_learns(block, block(x, mask))
    assert x.grad is not None
    assert not x.grad[1, :, 2:].any()
    assert x.grad[1, :, :2].any()


class Masked(nn.Module):
    """As in a text classifier: the mask comes from the input."""

    def __init__(self, block: Recurrent) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        state: Tensor = self.block(x, x[:, 0] != 0)
        return state


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_onnx_agrees_for_any_batch_time_and_length(kind: str) -> None:
    x = torch.randn(4, 3, 17)
    x[0, :, 5:] = 0
    x[2, :, 1:] = 0
    x[3] = 0
    assert_same_in_onnx(Masked(seeded(kind)), torch.randn(2, 3, 9), x, torch.randn(1, 3, 1), free=(0, 2))


@pytest.mark.parametrize(
    ("arguments", "said"), [((3, 4, "rnn"), "not rnn"), ((0, 4), "not 0 and 4"), ((3, 0), "not 3 and 0")]
)
def test_refuses_what_is_no_layer(arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Recurrent(*arguments)  # type: ignore[arg-type]
