"""CharCNN: the tables' sums, and characters as the paper codes them."""

import numpy as np
import pytest
import torch

from multicnn.architectures import build_text
from multicnn.errors import UsageError
from multicnn.text.architectures.charcnn import CharCNN, OneHot


@pytest.mark.parametrize(("size", "filters", "hidden"), [("small", 256, 1024), ("large", 1024, 2048)])
def test_has_the_parameters_of_the_tables(size: str, filters: int, hidden: int) -> None:
    with torch.device("meta"):
        network = CharCNN(4, 2 + 70, size=size)
    frames = (1014 - 96) // 27
    convolutions = 70 * filters * 7 + filters**2 * 7 + 4 * filters**2 * 3 + 6 * filters
    linear = frames * filters * hidden + hidden**2 + hidden * 4 + 2 * hidden + 4
    assert frames == 34
    assert sum(parameter.numel() for parameter in network.parameters()) == convolutions + linear


@pytest.mark.parametrize(("size", "deviation"), [("small", 0.05), ("large", 0.02)])
def test_begins_with_the_papers_gaussian(size: str, deviation: float) -> None:
    torch.manual_seed(0)
    network = CharCNN(2, 72, 123, size=size)
    for key, parameter in network.named_parameters():
        if key.endswith("weight"):
            assert parameter.std().item() == pytest.approx(deviation, rel=0.05)
            assert abs(parameter.mean().item()) < deviation / 10
        else:
            assert not parameter.any()


def test_characters_are_one_hot_from_the_end_and_unknown_ones_are_zeros() -> None:
    ids = torch.tensor([[2, 4, 1, 3, 0], [3, 0, 0, 0, 0], [4, 4, 2, 3, 2]], dtype=torch.int32)
    expected = np.zeros((3, 3, 5), np.float32)
    for row, text in enumerate([[3, 1, 4, 2], [3], [2, 3, 2, 4, 4]]):
        for place, character in enumerate(text):
            if character >= 2:
                expected[row, character - 2, place] = 1
    coded = OneHot(5)(ids)
    assert coded.dtype == torch.float32
    np.testing.assert_array_equal(coded.numpy(), expected)


def test_the_shortest_text_is_of_123_characters() -> None:
    assert build_text("charcnn", classes=2, vocabulary_size=72, length=123)(torch.ones(1, 123).int()).shape == (1, 2)
    with pytest.raises(UsageError, match="122 characters are too short; the least are 123"):
        build_text("charcnn", classes=2, vocabulary_size=72, length=122)
