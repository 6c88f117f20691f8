import numpy as np
import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx
from torch import nn

from multicnn.blocks.capsule import DynamicRouting, PrimaryCapsules, squash


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def squash_by_hand(s: np.ndarray) -> np.ndarray:
    square = (s * s).sum()
    return square / (1 + square) * s / np.sqrt(square)


def route_by_hand(weight: np.ndarray, u: np.ndarray, iterations: int) -> np.ndarray:
    """Procedure 1 for one example."""
    below, above = weight.shape[:2]
    predicted = np.array([[weight[i, j] @ u[i] for j in range(above)] for i in range(below)])
    b = np.zeros((below, above))
    for _ in range(iterations):
        c = [np.exp(b[i]) / np.exp(b[i]).sum() for i in range(below)]
        s = [sum(c[i][j] * predicted[i, j] for i in range(below)) for j in range(above)]
        v = np.array([squash_by_hand(one) for one in s])
        for i, j in np.ndindex(below, above):
            b[i, j] += predicted[i, j] @ v[j]
    return v


def test_squash_agrees_with_the_formula() -> None:
    x = torch.randn(5, 4, 3, dtype=torch.float64)
    for i, j in np.ndindex(5, 4):
        np.testing.assert_allclose(squash(x)[i, j].numpy(), squash_by_hand(x[i, j].numpy()))
    torch.testing.assert_close(squash(x.transpose(1, 2), dim=1), squash(x).transpose(1, 2))


def test_squash_keeps_short_vectors_short_and_long_ones_below_1() -> None:
    x = torch.tensor([[1e-3, 0.0], [0.0, 100.0], [1.0, 0.0]])
    torch.testing.assert_close(squash(x), torch.tensor([[1e-6, 0.0], [0.0, 0.9999], [0.5, 0.0]]), atol=1e-8, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_squash_has_a_slope_at_zero(dtype: torch.dtype) -> None:
    x = torch.zeros(2, 3, dtype=dtype, requires_grad=True)
    squash(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_routing_agrees_with_the_procedure(iterations: int) -> None:
    routing = DynamicRouting(6, 4, 3, 5, iterations=iterations).double()
    x = torch.randn(2, 6, 4, dtype=torch.float64)
    y = routing(x)
    assert y.shape == (2, 3, 5)
    for example, answer in zip(x, y, strict=True):
        expected = route_by_hand(routing.weight.detach().numpy(), example.numpy(), iterations)
        np.testing.assert_allclose(answer.detach().numpy(), expected)
    assert_learns(routing, y)


def test_agreement_makes_one_capsule_longer() -> None:
    routing = DynamicRouting(4, 2, 2, 2, iterations=3)
    with torch.no_grad():
        routing.weight.zero_()
        routing.weight[:, 0] = torch.eye(2)  # all predict the same for the first, and opposites for the second
        routing.weight[:, 1] = torch.eye(2) * torch.tensor([1.0, -1.0, 1.0, -1.0]).view(4, 1, 1)
    x = torch.tensor([1.0, 0.0]).expand(1, 4, 2)
    even = DynamicRouting(4, 2, 2, 2, iterations=1)
    even.load_state_dict(routing.state_dict())
    assert routing(x)[0, 0].norm() > even(x)[0, 0].norm()
    assert routing(x)[0, 1].norm() < 1e-3


def test_primary_capsules_bundle_a_places_channels() -> None:
    layer = PrimaryCapsules(2, 3, 4, 3, stride=2)
    x = torch.randn(2, 2, 7, 9)
    answers = layer.conv(x)
    y = layer(x)
    assert y.shape == (2, 3 * 3 * 4, 4)
    torch.testing.assert_close(y[1, 1 * 12 + 2 * 4 + 3], squash(answers[1, 4:8, 2, 3]))
    assert_learns(layer, y)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_primary_capsules_work_in_every_dimension(dims: int) -> None:
    assert PrimaryCapsules(2, 3, 4, 3, dims=dims)(torch.randn(1, 2, *(7,) * dims)).shape == (1, 3 * 3**dims, 4)


def test_the_papers_sizes() -> None:
    with torch.device("meta"):
        primary, digits = PrimaryCapsules(256), DynamicRouting(1152, 8, 10, 16)
        y = digits(primary(torch.empty(1, 256, 20, 20)))
    assert y.shape == (1, 10, 16)
    assert sum(p.numel() for p in primary.parameters()) == 5_308_672
    assert digits.weight.numel() == 1_474_560


def test_routing_starts_with_lengths_like_those_below() -> None:
    torch.manual_seed(0)
    x = nn.functional.normalize(torch.randn(8, 1152, 8), dim=2)
    y = DynamicRouting(1152, 8, 10, 16, iterations=1)(x)
    assert y.norm(dim=2).mean().item() == pytest.approx(0.5, abs=0.05)  # a length of 1, squashed


def test_routing_refuses_no_iteration() -> None:
    with pytest.raises(ValueError, match="not 0"):
        DynamicRouting(6, 4, 3, 5, iterations=0)


@pytest.mark.parametrize("sizes", [(0, 4, 3, 5), (6, 0, 3, 5), (6, 4, 0, 5), (6, 4, 3, 0)])
def test_routing_refuses_no_capsules(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not from {} x {} to {} x {}".format(*sizes)):
        DynamicRouting(*sizes)


@pytest.mark.parametrize(("capsules", "length"), [(0, 8), (32, 0), (-2, -4)])
def test_primary_capsules_refuse_none(capsules: int, length: int) -> None:
    with pytest.raises(ValueError, match=f"not {capsules} of {length}"):
        PrimaryCapsules(2, capsules, length)


def test_squash_of_half_precision_does_not_overflow() -> None:
    x = torch.tensor([[300.0, 400.0], [3e-4, 4e-4]], dtype=torch.float16)  # squares beyond 65504, and below the least
    y = squash(x)
    assert y.dtype == torch.float16
    torch.testing.assert_close(y, squash(x.float()).half())
    assert y[0].tolist() == pytest.approx([0.6, 0.8], abs=1e-3)


def test_capsules_export() -> None:
    layers = nn.Sequential(PrimaryCapsules(2, 3, 4, 3), DynamicRouting(27, 4, 3, 5))
    assert_same_in_onnx(layers, torch.randn(2, 2, 7, 7))
