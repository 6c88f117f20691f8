"""Dynamic convolution, dynamic local filters, hypernetworks and style banks: filters that depend on something."""

from typing import Any

import numpy as np
import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx
from torch import Tensor, nn

from multicnn.blocks.convolution import CONVOLVE
from multicnn.blocks.dynamic import DynamicConvolution, DynamicLocalFilter
from multicnn.blocks.hypernetwork import HyperConvolution, StaticHyperConvolution, StyleBank

SIDES = (6, 5, 4)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_dynamic_convolution_is_one_with_the_mixed_kernel(dims: int, groups: int) -> None:
    layer = DynamicConvolution(8, 6, 3, kernels=3, temperature=0.5, dims=dims, stride=2, padding=1, groups=groups)
    layer = layer.double()
    nn.init.normal_(layer.conv.bias)
    x = torch.randn(4, 8, *SIDES[:dims]).double() + 2 * torch.randn(4, 8, *(1,) * dims).double()
    shares = layer.attention(x)
    torch.testing.assert_close(shares.sum(1), torch.ones(4, dtype=torch.float64))
    assert shares.std(0).max() > 1e-3  # each example has its own
    kernels, biases = layer.conv.weight.unflatten(0, (6, 3)), layer.conv.bias.unflatten(0, (6, 3))
    for example, share, answer in zip(x, shares, layer(x), strict=True):
        weight = sum(share[k] * kernels[:, k] for k in range(3))
        bias = sum(share[k] * biases[:, k] for k in range(3))
        expected = CONVOLVE[dims](example[None], weight, bias, 2, 1, 1, groups)
        torch.testing.assert_close(answer[None], expected)
    assert_learns(layer, layer(x))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_padding_has_no_say_in_the_mixture(dims: int) -> None:
    layer = DynamicConvolution(4, 6, 1, temperature=1.0, reduction=1, dims=dims).double()
    x, mask = torch.randn(2, 4, *SIDES[:dims], dtype=torch.float64), torch.ones(2, *SIDES[:dims], dtype=torch.bool)
    mask[:, 4:] = False  # along the first axis
    x[:, :, 4:] += 5
    torch.testing.assert_close(layer(x, mask)[:, :, :4], layer(x[:, :, :4]))
    assert not torch.allclose(layer(x)[:, :, :4], layer(x[:, :, :4]))


def test_attention_is_the_formula() -> None:
    layer = DynamicConvolution(8, 6, 3, kernels=3, temperature=2.0).double()
    x = torch.randn(4, 8, 5, 5, dtype=torch.float64)
    first, _, last = layer.score
    hidden = np.maximum(x.numpy().mean((2, 3)) @ first.weight.detach().numpy().T, 0)
    scores = np.exp(hidden @ last.weight.detach().numpy().T / 2.0)
    np.testing.assert_allclose(layer.attention(x).detach().numpy(), scores / scores.sum(1, keepdims=True))


def test_a_high_temperature_lets_every_kernel_speak() -> None:
    layer = DynamicConvolution(8, 6, 3, temperature=1e6)
    nn.init.normal_(layer.score[-1].bias)
    x = 10 * torch.randn(4, 8, 5, 5)
    torch.testing.assert_close(layer.attention(x), torch.full((4, 4), 0.25), atol=1e-4, rtol=0)
    layer.temperature = 1e-3
    assert layer.attention(x).amax(1).mean() > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernels": 0}, "kernel, not 0"),
        ({"temperature": -1.0}, "not -1.0"),
        ({"reduction": 0}, "or more, not 0"),
    ],
)
def test_dynamic_convolution_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DynamicConvolution(8, 6, 3, **arguments)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
def test_local_filters_are_applied_each_at_its_place(shared: bool, normalised: bool) -> None:
    layer = DynamicLocalFilter(2, 3, condition=4, shared=shared, normalised=normalised).double()
    x, seen = torch.randn(2, 2, 4, 5).double(), torch.randn(2, 4, 4, 5).double()
    filters = layer.generator(seen).detach().numpy().reshape(2, 1 if shared else 2, 9, 4, 5)
    if normalised:
        filters = np.exp(filters) / np.exp(filters).sum(2, keepdims=True)
    filters = np.broadcast_to(filters, (2, 2, 9, 4, 5))
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (1, 1), (1, 1)])
    y = layer(x, seen).detach().numpy()
    for b, c, i, j in np.ndindex(y.shape):
        patch = padded[b, c, i : i + 3, j : j + 3].ravel()
        assert y[b, c, i, j] == pytest.approx(filters[b, c, :, i, j] @ patch)


class Everywhere(nn.Module):
    """Predicts one filter for all places, whatever it sees."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, x: Tensor) -> Tensor:
        return self.weights.view(1, -1, *(1,) * (x.dim() - 2)).expand(len(x), -1, *x.shape[2:])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_one_filter_everywhere_is_a_depthwise_convolution(dims: int) -> None:
    weights = torch.randn(2, 1, *(3,) * dims)
    layer = DynamicLocalFilter(2, 3, generator=Everywhere(weights), dims=dims)
    x = torch.randn(2, 2, *SIDES[:dims])
    expected = CONVOLVE[dims](x, weights, None, 1, 1, 1, 2)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_local_filters_learn_from_the_input_itself(dims: int) -> None:
    layer = DynamicLocalFilter(2, 4, dims=dims)
    x = torch.randn(2, 2, *SIDES[:dims])
    assert layer(x).shape == x.shape
    assert_learns(layer, layer(x))


def test_local_filters_have_an_extent_whoever_predicts_them() -> None:
    with pytest.raises(ValueError, match="kernel cannot be 0 and 3"):
        DynamicLocalFilter(2, (0, 3), generator=Everywhere(torch.randn(6)))


@pytest.mark.parametrize(("embedding", "hidden"), [(0, 4), (5, 0)])
@pytest.mark.parametrize("kind", [HyperConvolution, StaticHyperConvolution])
def test_a_hypernetwork_predicts_from_something(kind: type[HyperConvolution], embedding: int, hidden: int) -> None:
    with pytest.raises(ValueError, match=f"not from {embedding} and {hidden}"):
        kind(2, 3, 3, embedding, hidden=hidden)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_hypernetworks_kernel_is_used_for_all_or_for_each(dims: int) -> None:
    layer = HyperConvolution(2, 3, 3, 5, hidden=4, dims=dims, stride=2, padding=1).double()
    x, embeddings = torch.randn(4, 2, *SIDES[:dims]).double(), torch.randn(4, 5).double()
    kernels = layer.kernels(embeddings)
    assert kernels.shape == (4, 3, 2, *(3,) * dims)
    each = layer(x, embeddings)
    for i in range(4):
        expected = CONVOLVE[dims](x[i : i + 1], kernels[i], None, 2, 1)
        torch.testing.assert_close(each[i : i + 1], expected)
        torch.testing.assert_close(layer(x, embeddings[i])[i : i + 1], expected)
    assert_learns(layer, each)


def test_a_hypernetworks_kernel_is_has_formula() -> None:
    layer = HyperConvolution(2, 3, 3, 5, hidden=4).double()
    nn.init.normal_(layer.inner.bias)
    nn.init.normal_(layer.outer.bias)
    z = torch.randn(5, dtype=torch.float64)
    kernels = layer.kernels(z[None])[0]
    for i in range(2):
        a = layer.inner.weight[4 * i : 4 * i + 4] @ z + layer.inner.bias[4 * i : 4 * i + 4]
        torch.testing.assert_close(kernels[:, i].flatten(), layer.outer.weight @ a + layer.outer.bias)


def test_predicted_kernels_start_with_he_variance() -> None:
    torch.manual_seed(0)
    kernels = HyperConvolution(32, 32, 3, 16).kernels(torch.randn(64, 16))
    assert kernels.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.1)


def test_hyper_convolution_exports() -> None:
    layer = HyperConvolution(2, 3, 3, 5, hidden=4, padding="same", stride=2)
    assert_same_in_onnx(layer, (torch.randn(2, 2, 6, 5), torch.randn(2, 5)))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_static_hypernetwork_predicts_from_an_embedding_of_its_own(dims: int) -> None:
    layer = StaticHyperConvolution(2, 3, 3, 5, hidden=4, dims=dims, stride=2, padding="same").double()
    nn.init.normal_(layer.inner.bias)
    nn.init.normal_(layer.outer.bias)
    other = HyperConvolution(2, 3, 3, 5, hidden=4, dims=dims, stride=2, padding="same").double()
    other.load_state_dict({name: value for name, value in layer.state_dict().items() if name != "embedding"})
    x = torch.randn(2, 2, *SIDES[:dims], dtype=torch.float64)
    torch.testing.assert_close(layer(x), other(x, layer.embedding))
    assert_learns(layer, layer(x))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_style_bank_uses_each_examples_own_filters(dims: int) -> None:
    layer = StyleBank(2, 3, 3, 4, dims=dims, padding="same").double()
    nn.init.normal_(layer.bias)
    x = torch.randn(3, 2, *SIDES[:dims], dtype=torch.float64)
    classes = torch.tensor([2, 0, 2])
    for one, label, answer in zip(x, classes, layer(x, classes), strict=True):
        expected = CONVOLVE[dims](one[None], layer.weight[label], layer.bias[label], 1, 1)
        torch.testing.assert_close(answer[None], expected)


def test_a_class_that_does_not_occur_learns_nothing() -> None:
    layer = StyleBank(2, 3, 3, 4)
    layer(torch.randn(2, 2, 5, 5), torch.tensor([1, 3])).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.flatten(1).any(1).tolist() == [False, True, False, True]


def test_style_bank_needs_a_class() -> None:
    with pytest.raises(ValueError, match="not 0"):
        StyleBank(2, 3, 3, 0)


def test_style_bank_exports() -> None:
    assert_same_in_onnx(StyleBank(2, 3, 3, 4, padding=1, stride=2), (torch.randn(2, 2, 6, 5), torch.tensor([3, 1])))
