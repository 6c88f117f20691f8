import itertools
import math
from fractions import Fraction

import pytest
import torch
from block_checks import assert_same_in_onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from multicnn.blocks.pooling import KMaxPool
from multicnn.blocks.pooling_dynamic_k import DynamicKMaxPool


def k_by_hand(layer: int, layers: int, k_top: int, words: int) -> int:
    return max(k_top, math.ceil(Fraction(layers - layer, layers) * words))


def kmax_by_hand(x: list[float], k: int) -> list[float]:
    """Of all choices of k steps, the first one with the largest sum, in order of time."""
    return list(max(itertools.combinations(x, min(k, len(x))), key=sum))


@pytest.mark.parametrize(("layer", "k"), [(1, 12), (2, 6), (3, 3)])
def test_gives_the_papers_example(layer: int, k: int) -> None:
    values, real = DynamicKMaxPool(layer, 3, k_top=3)(torch.randn(1, 2, 18))
    assert values.shape == (1, 2, k)
    assert real.all()


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=3),
    wide=st.integers(0, 3),
    layers=st.integers(1, 4),
    data=st.data(),
    k_top=st.integers(1, 5),
    seed=st.integers(0, 10_000),
)
def test_agrees_with_the_definition_for_each_sentences_own_length(  # type: ignore[no-untyped-def]
    lengths: list[int], wide: int, layers: int, data, k_top: int, seed: int
) -> None:
    layer = data.draw(st.integers(1, layers))
    words = max(lengths)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(-2, 3, (len(lengths), 2, words + wide), generator=generator).float()  # some of them equal
    own = torch.tensor(lengths)[:, None]
    sentence, mask = torch.arange(words) < own, torch.arange(words + wide) < own + wide
    values, real = DynamicKMaxPool(layer, layers, k_top)(x, mask, sentence)
    assert values.shape[2] == real.shape[1] == k_by_hand(layer, layers, k_top, words)
    for i, length in enumerate(lengths):
        k = k_by_hand(layer, layers, k_top, length)
        count = min(k, length + wide)
        assert real[i].tolist() == [j < count for j in range(real.shape[1])]
        for c in range(2):
            expected = kmax_by_hand(x[i, c, : length + wide].tolist(), k)
            assert values[i, c].tolist() == expected + [0.0] * (values.shape[2] - count)


def test_padding_is_never_selected_wherever_it_is() -> None:
    x = torch.tensor([[[-3.0, 9.0, -1.0, 9.0, -2.0]]])
    mask = torch.tensor([[True, False, True, False, True]])
    values, real = DynamicKMaxPool(1, 1, k_top=4)(x, mask)
    assert values.tolist() == [[[-3.0, -1.0, -2.0, 0.0]]]
    assert real.tolist() == [[True, True, True, False]]


def test_a_batch_gives_what_each_sentence_gives_alone() -> None:
    x, mask = torch.randn(2, 3, 9), torch.arange(9) < torch.tensor([[9], [4]])
    values, real = DynamicKMaxPool(1, 2, k_top=1)(x, mask)
    alone, _ = DynamicKMaxPool(1, 2, k_top=1)(x[1:, :, :4])
    assert torch.equal(values[1:, :, :2], alone)
    assert real[1].sum() == 2


def test_the_last_layer_is_kmax_pooling() -> None:
    x, mask = torch.randn(2, 3, 9), torch.arange(9) < torch.tensor([[9], [2]])
    assert torch.equal(DynamicKMaxPool(3, 3, k_top=4)(x, mask)[0], KMaxPool(4)(x, mask))


def test_the_gradient_reaches_only_the_winners() -> None:
    x = torch.tensor([[[1.0, 5.0, 2.0, 4.0]]], requires_grad=True)
    DynamicKMaxPool(1, 2, k_top=1)(x)[0].sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[0.0, 1.0, 0.0, 1.0]]]


@pytest.mark.parametrize(
    ("arguments", "message"), [((0, 3, 1), "layer 0"), ((4, 3, 1), "layer 4"), ((1, 3, 0), "k_top=0")]
)
def test_refuses_what_is_no_layer(arguments: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DynamicKMaxPool(*arguments)


class Masked(nn.Module):
    """As in a text classifier: the mask comes from the input."""

    def __init__(self, pool: DynamicKMaxPool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.pool(x, x[:, 0] != 0)


@pytest.mark.parametrize("free", [(0,), (0, 2)], ids=["batch", "batch-and-time"])
def test_onnx_agrees(free: tuple[int, ...]) -> None:
    x = torch.randn(3, 4, 10 if free == (0,) else 130).relu()
    x[0, 0, 4:] = 0
    x[1, 0] = 0
    assert_same_in_onnx(Masked(DynamicKMaxPool(1, 3, k_top=3)), torch.randn(2, 4, 10), x, free=free)
