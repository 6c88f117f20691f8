import doctest

import numpy as np
import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx
from torch import nn

from multicnn.blocks import graph
from multicnn.blocks.graph import SpectralGraphConvolution, SpectralGraphUnit, laplacian


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def random_graph(nodes: int, seed: int = 0) -> torch.Tensor:
    strength = torch.rand(nodes, nodes, generator=torch.Generator().manual_seed(seed))
    half = (strength * (strength > 0.4)).triu(1)
    return half + half.T


def ring(nodes: int) -> torch.Tensor:
    return torch.eye(nodes).roll(1, 0) + torch.eye(nodes).roll(-1, 0)


def test_the_documented_example_holds() -> None:
    outcome = doctest.testmod(graph)
    assert outcome.attempted >= 6
    assert outcome.failed == 0


def test_laplacian_agrees_with_the_definition() -> None:
    adjacency = random_graph(6)
    adjacency[2] = adjacency[:, 2] = 0  # a node by itself
    degrees = adjacency.sum(1).numpy()
    found = laplacian(adjacency).numpy()
    for i, j in np.ndindex(6, 6):
        if i == j:
            expected = 1.0 if degrees[i] else 0.0
        else:
            expected = -adjacency[i, j].item() / np.sqrt(degrees[i] * degrees[j]) if adjacency[i, j] else 0.0
        assert found[i, j] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float16])
def test_laplacian_takes_whole_numbers_and_half_precision(dtype: torch.dtype) -> None:
    torch.testing.assert_close(laplacian(ring(5).to(dtype)), laplacian(ring(5)))


def test_agrees_with_the_formula() -> None:
    conv = SpectralGraphConvolution(2, 3, random_graph(7)).double()
    nn.init.normal_(conv.bias)
    x = torch.randn(2, 2, 7, dtype=torch.float64)
    basis, weight, bias = (t.detach().numpy() for t in (conv.basis, conv.weight, conv.bias))
    y = conv(x).detach().numpy()
    for b, o in np.ndindex(2, 3):
        expected = sum(basis @ np.diag(weight[o, c]) @ basis.T @ x[b, c].numpy() for c in range(2)) + bias[o]
        np.testing.assert_allclose(y[b, o], expected, atol=1e-10)
    assert_learns(conv, conv(x))


def test_the_basis_is_the_laplacians() -> None:
    adjacency = random_graph(7)
    conv = SpectralGraphConvolution(1, 1, adjacency)
    rebuilt = conv.basis @ torch.diag(conv.frequencies) @ conv.basis.T
    torch.testing.assert_close(rebuilt, laplacian(adjacency), atol=1e-5, rtol=0)
    torch.testing.assert_close(conv.basis.T @ conv.basis, torch.eye(7), atol=1e-5, rtol=0)
    assert conv.frequencies[0].item() == pytest.approx(0, abs=1e-6)


def test_on_a_ring_it_is_a_circular_convolution() -> None:
    conv = SpectralGraphConvolution(1, 1, ring(8), bias=False)
    kernel = torch.tensor([0.2, -0.5, 1.0, -0.5, 0.2])  # symmetric, as everything is that does not know left and right
    cosine = 1 - conv.frequencies  # of the angle 2 pi f / 8
    with torch.no_grad():
        conv.weight.copy_(1.0 - cosine + 0.4 * (2 * cosine.square() - 1))
    x = torch.randn(3, 1, 8)
    expected = torch.conv1d(nn.functional.pad(x, (2, 2), mode="circular"), kernel[None, None])
    torch.testing.assert_close(conv(x), expected, atol=1e-5, rtol=1e-5)


def test_low_frequencies_alone_give_smooth_signals() -> None:
    conv = SpectralGraphConvolution(1, 1, ring(8), frequencies=1, bias=False)
    y = conv(torch.randn(2, 1, 8))
    torch.testing.assert_close(y, y.mean(2, keepdim=True).expand_as(y))


def test_the_unit_gates_half_by_the_other_half() -> None:
    unit = SpectralGraphUnit(2, 3, random_graph(5))
    x = torch.randn(2, 2, 5)
    answers = unit.conv(x)
    torch.testing.assert_close(unit(x), answers[:, :3] * torch.sigmoid(answers[:, 3:]))
    assert_learns(unit, unit(x))


@pytest.mark.parametrize(
    ("adjacency", "frequencies", "message"),
    [
        (torch.ones(2, 3), None, r"not \[2, 3\]"),
        (torch.ones(0, 0), None, r"not \[0, 0\]"),
        (torch.tensor([[0.0, 1.0], [2.0, 0.0]]), None, "symmetric"),
        (-torch.ones(2, 2), None, "below 0"),
        (torch.ones(3, 3), 4, "1 to 3 frequencies, not 4"),
    ],
)
def test_refuses(adjacency: torch.Tensor, frequencies: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpectralGraphConvolution(1, 1, adjacency, frequencies=frequencies)


def test_exports() -> None:
    assert_same_in_onnx(SpectralGraphUnit(2, 3, random_graph(5), frequencies=3), torch.randn(2, 2, 5))
