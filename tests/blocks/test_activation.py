import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from block_checks import SideBySide, assert_same_in_onnx
from torch import nn

from multicnn.blocks.activation import ACTIVATIONS, GATES, GLU, LearnedELU, activation


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


FORMULAS: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(0, x),
    "leaky_relu": lambda x: max(0, x) + 0.01 * min(0, x),
    "shifted_relu": lambda x: max(-1, x),
    "tanh": math.tanh,
    "sigmoid": sigmoid,
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "learned_elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * sigmoid(x),
}
NUMBERS = [-30.0, -2.5, -1.0, -0.3, 0.0, 0.2, 1.0, 3.0, 15.0]


def test_every_activation_has_its_formula_here() -> None:
    assert FORMULAS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", FORMULAS)
def test_agrees_with_its_formula(name: str) -> None:
    y = activation(name).double()(torch.tensor(NUMBERS, dtype=torch.float64))
    np.testing.assert_allclose(y.detach().numpy(), [FORMULAS[name](x) for x in NUMBERS], atol=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_stay_finite_far_out(name: str) -> None:
    x = torch.tensor([-1e4, -200.0, 0.0, 200.0, 1e4], requires_grad=True)
    activation(name)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_a_learned_elu_bends_as_it_has_learned() -> None:
    elu = LearnedELU(0.5)
    x = torch.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    y = elu(x)
    torch.testing.assert_close(y, nn.functional.elu(x, alpha=0.5))
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([0.5 * math.exp(-1), 0.5, 1.0]))
    torch.testing.assert_close(elu.a.grad, torch.tensor(math.exp(-1) - 1))
    with pytest.raises(ValueError, match="not 0"):
        LearnedELU(0)


@pytest.mark.parametrize("sides", [(), (5,), (4, 3), (2, 2, 2)])
def test_a_gate_multiplies_one_half_by_the_sigmoid_of_the_other(sides: tuple[int, ...]) -> None:
    x = torch.randn(2, 6, *sides, dtype=torch.float64)
    expected = np.empty((2, 3, *sides))
    for example, channel, *place in np.ndindex(expected.shape):
        gate = x[(example, channel + 3, *place)].item()
        expected[(example, channel, *place)] = x[(example, channel, *place)].item() * sigmoid(gate)
    np.testing.assert_allclose(GLU()(x).numpy(), expected)


def test_a_gate_needs_an_even_number_of_channels() -> None:
    with pytest.raises(ValueError, match="7 is odd"):
        GLU()(torch.zeros(1, 7, 2))


def test_gates_come_only_where_channels_may_halve() -> None:
    assert all(isinstance(activation(name, gates=True), nn.Module) for name in [*ACTIVATIONS, *GATES])
    with pytest.raises(ValueError, match="glu halves the channels"):
        activation("glu")
    with pytest.raises(ValueError, match=r"no activation gluu; did you mean glu\?"):
        activation("gluu", gates=True)


def test_onnx_agrees() -> None:
    x = 4 * torch.randn(3, 4, 5)
    assert_same_in_onnx(SideBySide(*(activation(name, gates=True) for name in [*ACTIVATIONS, *GATES])), x[:2], x)
