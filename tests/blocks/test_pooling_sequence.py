import pytest
import torch
from block_checks import assert_same_in_onnx
from torch import Tensor, nn

from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_sequence import SequenceMaxPool


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), (3, 1, 1), (1, 1, 0), (5, 3, 2)])
def test_is_max_pooling_of_each_sequence_by_itself(kernel: int, stride: int, padding: int) -> None:
    lengths = [11, 10, 4, 1]
    x, mask = torch.randn(4, 3, 11), torch.arange(11) < torch.tensor(lengths)[:, None]
    pooled, real = SequenceMaxPool(kernel, stride)(x, mask)
    for row, length in enumerate(lengths):
        expected = MaxPool(kernel, stride, padding, dims=1)(x[row : row + 1, :, :length])[0]
        places = expected.shape[1]
        assert torch.equal(pooled[row, :, :places], expected)
        assert real[row].tolist() == [place < places for place in range(pooled.shape[2])]
        assert not pooled[row, :, places:].any()


def test_an_odd_step_at_the_end_is_a_window_of_its_own() -> None:
    x = torch.tensor([[[-1.0, -2.0, -3.0, -4.0, -5.0]]])
    assert SequenceMaxPool(2, 2)(x, torch.ones(1, 5, dtype=torch.bool))[0].tolist() == [[[-1.0, -3.0, -5.0]]]


class Masked(nn.Module):
    """As in a text classifier: the mask comes from the input."""

    def __init__(self, pool: SequenceMaxPool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.pool(x, x[:, 0] != 0)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2)])
def test_onnx_agrees_for_any_length(kernel: int, stride: int) -> None:
    x = torch.randn(3, 2, 13)
    x[0, :, 4:] = 0
    x[1] = 0
    pool = Masked(SequenceMaxPool(kernel, stride))
    assert_same_in_onnx(pool, torch.randn(2, 2, 8), x, torch.randn(1, 2, 1), torch.randn(1, 2, 2), free=(0, 2))


@pytest.mark.parametrize(("kernel", "stride"), [(0, 1), (2, 0), (2, 3)])
def test_refuses_gaps_and_nothing(kernel: int, stride: int) -> None:
    with pytest.raises(ValueError, match=f"not {kernel} and {stride}"):
        SequenceMaxPool(kernel, stride)
