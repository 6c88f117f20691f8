"""VDCNN: the parameters of its depths, and short texts that stay cheap."""

import pytest
import torch
from torch import nn

from multicnn.blocks.convolution import Convolution
from multicnn.text.architectures.vdcnn import VDCNN

# Convolutions of 64, 128, 256 and 512 filters, and millions of parameters "in convolutional layers" (table 2).
TABLE = {9: ((2, 2, 2, 2), 2.2), 17: ((4, 4, 4, 4), 4.3), 29: ((10, 10, 4, 4), 4.6), 49: ((16, 16, 10, 6), 7.8)}


def convolution_weights(network: nn.Module) -> int:
    return sum(one.weight.numel() for one in network.modules() if isinstance(one, Convolution))


def by_formula(counts: tuple[int, ...]) -> int:
    """3 x in x out for each convolution; the first of each width takes the width before."""
    total, before = 16 * 64 * 3, 64
    for width, count in zip((64, 128, 256, 512), counts, strict=True):
        total += 3 * before * width + (count - 1) * 3 * width**2
        before = width
    return total


@pytest.mark.parametrize("depth", TABLE)
def test_has_the_parameters_of_its_depth(depth: int) -> None:
    counts, _ = TABLE[depth]
    with torch.device("meta"):
        network = VDCNN(5, 69, depth=depth)
    assert sum(isinstance(one, Convolution) for one in network.modules()) == depth == 1 + sum(counts)
    assert convolution_weights(network) == by_formula(counts)
    normalisation = sum(2 * width * count for width, count in zip((64, 128, 256, 512), counts, strict=True))
    head = 4096 * 2048 + 2048**2 + 2048 * 5 + 2 * 2048 + 5
    total = sum(parameter.numel() for parameter in network.parameters())
    assert total == 69 * 16 + by_formula(counts) + 64 + normalisation + head


def test_depths_differ_as_in_table_2() -> None:
    """The table has some 0.6 million more than the convolutions' weights at every depth; the steps agree."""
    steps = [(9, 17), (17, 29), (29, 49)]
    for shallow, deep in steps:
        ours = by_formula(TABLE[deep][0]) - by_formula(TABLE[shallow][0])
        assert ours / 1e6 == pytest.approx(TABLE[deep][1] - TABLE[shallow][1], abs=0.1)


def test_shortcuts_add_a_projection_where_the_channels_change() -> None:
    with torch.device("meta"):
        plain, residual = VDCNN(2, 69), VDCNN(2, 69, shortcuts=True)
    projections = 64 * 128 + 128 * 256 + 256 * 512
    assert convolution_weights(residual) - convolution_weights(plain) == projections


def test_training_statistics_are_those_of_real_characters() -> None:
    torch.manual_seed(0)
    one, other = VDCNN(2, 69, hidden=8).train(), VDCNN(2, 69, hidden=8).train()
    other.load_state_dict(one.state_dict())
    ids = torch.randint(1, 69, (4, 40))
    torch.testing.assert_close(one(ids), other(nn.functional.pad(ids, (0, 60))), rtol=0, atol=1e-4)
    for (key, mine), theirs in zip(one.named_buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4, msg=key)


def test_a_text_is_halved_three_times() -> None:
    network = VDCNN(2, 69, k=1).eval()
    places: list[int] = []
    for block in network.features.blocks:
        block.register_forward_hook(lambda module, given, output: places.append(output[0].shape[2]))
    network(torch.randint(1, 69, (1, 1024)))
    assert places == [1024, 512, 256, 128]
