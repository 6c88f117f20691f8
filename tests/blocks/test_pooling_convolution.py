import numpy as np
import pytest
import torch

from multicnn.blocks.pooling import AveragePool
from multicnn.blocks.pooling_convolution import ConvolutionPool


def matrix_of(pool: ConvolutionPool, sides: tuple[int, ...]) -> np.ndarray:
    """The convolution as one explicit matrix C: flat input to flat output, written weight by weight."""
    weight, channels = pool.weight.detach().numpy(), pool.weight.shape[0]
    (p, s), group = (pool.padding[0], pool.stride[0]), pool.weight.shape[1]
    places = tuple((side + 2 * p - k) // s + 1 for side, k in zip(sides, pool.kernel, strict=True))
    c = np.zeros((channels, *places, channels, *sides))
    for out, place, i in np.ndindex(channels, int(np.prod(places)), group):
        where = np.unravel_index(place, places)
        for k in np.ndindex(*pool.kernel):
            at = tuple(w * s + o - p for w, o in zip(where, k, strict=True))
            if all(0 <= a < side for a, side in zip(at, sides, strict=True)):
                c[(out, *where, out // group * group + i, *at)] = weight[(out, i, *k)]
    return c.reshape(channels * int(np.prod(places)), -1)


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
    c = matrix_of(pool, sides)
    x = torch.randn(2, 4, *sides, dtype=torch.float64, requires_grad=True)
    y = pool(x)
    np.testing.assert_allclose(y.detach().flatten(1).numpy(), x.detach().flatten(1).numpy() @ c.T, atol=1e-12)
    above = torch.randn_like(y)
    y.backward(above)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.flatten(1).numpy(), above.flatten(1).numpy() @ c, atol=1e-12)


def test_can_become_an_average_pool() -> None:
    pool = ConvolutionPool(3, 2, groups=3, bias=False)
    torch.nn.init.constant_(pool.weight, 1 / 4)
    x = torch.randn(2, 3, 7, 6)
    torch.testing.assert_close(pool(x), AveragePool(2)(x))


def test_windows_do_not_overlap_unless_told() -> None:
    assert ConvolutionPool(3, (2, 3)).stride == (2, 3)
    assert ConvolutionPool(3, 3, 2).stride == (2, 2)
