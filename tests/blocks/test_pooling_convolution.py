import pytest
import torch
from block_checks import assert_is_matrix, convolution_matrix

from multicnn.blocks.pooling import AveragePool
from multicnn.blocks.pooling_convolution import ConvolutionPool


@pytest.mark.parametrize(
    ("dims", "kernel", "stride", "padding", "groups"),
    [(1, 3, 2, 1, 1), (2, 2, None, 0, 1), (2, 3, 2, 1, 4), (2, 3, 2, 0, 2), (3, 2, None, 0, 1)],
)
def test_is_its_matrix_forward_and_its_transpose_backward(
    dims: int, kernel: int, stride: int | None, padding: int, groups: int
) -> None:
    torch.manual_seed(0)
    pool = ConvolutionPool(4, kernel, stride, padding, dims=dims, groups=groups, bias=False).double()
    sides = (6, 5, 4)[:dims]
    matrix = convolution_matrix(
        pool.weight.detach().numpy(), sides, ends=[(padding, padding)] * dims, stride=stride or kernel, groups=groups
    )
    assert_is_matrix(pool, matrix, 4, *sides)


def test_can_become_an_average_pool() -> None:
    pool = ConvolutionPool(3, 2, groups=3, bias=False)
    torch.nn.init.constant_(pool.weight, 1 / 4)
    x = torch.randn(2, 3, 7, 6)
    torch.testing.assert_close(pool(x), AveragePool(2)(x))


def test_windows_do_not_overlap_unless_told() -> None:
    assert ConvolutionPool(3, (2, 3)).stride == (2, 3)
    assert ConvolutionPool(3, 3, 2).stride == (2, 2)
