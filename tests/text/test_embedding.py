"""Word vectors: the four modes, and vectors from elsewhere."""

import numpy as np
import pytest
import torch

from multicnn.text.architectures.embedding import WordVectors


def test_looks_up_and_padding_is_zero() -> None:
    torch.manual_seed(0)
    words = WordVectors(9, 4)
    x = words(torch.tensor([[3, 8, 0], [1, 0, 0]], dtype=torch.int32))
    assert x.shape == (2, 4, 3)
    assert words.weight is not None
    assert torch.equal(x[0, :, 1], words.weight[8])
    assert not x[0, :, 2].any()
    assert words.weight[1:].abs().max() <= 0.25
    assert words.weight[1:].abs().mean() > 0.05


@pytest.mark.parametrize(
    ("mode", "learned", "kept", "channels"),
    [("rand", 1, 0, 4), ("nonstatic", 1, 0, 4), ("static", 0, 1, 4), ("multichannel", 1, 1, 8)],
)
def test_a_mode_says_what_is_learned_and_what_is_kept(mode: str, learned: int, kept: int, channels: int) -> None:
    words = WordVectors(9, 4, mode)
    assert len(list(words.parameters())) == learned
    assert len(list(words.buffers())) == kept
    assert len(words.state_dict()) == learned + kept
    assert words.channels == channels
    assert words(torch.tensor([[1, 2]])).shape == (1, channels, 2)


def test_the_two_copies_stand_side_by_side() -> None:
    words = WordVectors(9, 4, "multichannel")
    assert words.weight is not None
    assert words.static is not None
    assert torch.equal(words.weight, words.static)
    with torch.no_grad():
        words.weight.mul_(2)
    x = words(torch.tensor([[5, 2]]))
    assert torch.equal(x[0, 0::2], words.static[[5, 2]].T)
    assert torch.equal(x[0, 1::2], 2 * words.static[[5, 2]].T)


@pytest.mark.parametrize("mode", ["nonstatic", "static", "multichannel"])
def test_pretrained_vectors_go_in_and_the_others_have_their_variance(mode: str) -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = 3 * torch.randn(4000, 50, generator=generator)
    known = torch.arange(4000) % 2 == 1
    matrix[~known] = 1e6
    words = WordVectors(4000, 50, mode)
    words.set_vectors(matrix, known)
    for table in (*words.parameters(), *words.buffers()):
        assert torch.equal(table[known], matrix[known])
        assert not table[0].any()
        fresh = table.detach()[2::2]
        assert fresh.var().item() == pytest.approx(9, rel=0.02)
        assert fresh.abs().max().item() == pytest.approx(3 * np.sqrt(3), rel=0.01)  # uniform, not normal


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="did you mean static"):
        WordVectors(9, 4, "statik")
    with pytest.raises(ValueError, match="1 vectors of 4"):
        WordVectors(1, 4)
    words = WordVectors(9, 4)
    with pytest.raises(ValueError, match="9 vectors of 4 numbers are needed, not 9 x 5"):
        words.set_vectors(torch.zeros(9, 5), torch.ones(9, dtype=torch.bool))
    with pytest.raises(ValueError, match="none of the words"):
        words.set_vectors(torch.zeros(9, 4), torch.zeros(9, dtype=torch.bool))
