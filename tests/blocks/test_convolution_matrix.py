"""The convolution, its padding modes and its transpose against the explicit matrix C: forward C, backward Cᵀ."""

from typing import Any

import numpy as np
import pytest
import torch
from block_checks import assert_is_matrix, convolution_matrix, same_ends
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from multicnn.blocks.convolution import PADDING_MODES, Convolution
from multicnn.blocks.transposed import TransposedConvolution
from multicnn.blocks.windows import convolve_each, windows

SIDES = (6, 5, 4)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@settings(max_examples=40, deadline=None)
@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    padding=st.sampled_from([0, 1, 2]),
    mode=st.sampled_from(PADDING_MODES),
    seed=st.integers(0, 10_000),
)
def test_every_padding_mode_is_its_matrix_forwards_and_its_transpose_backwards(
    dims: int, kernel: int, stride: int, dilation: int, groups: int, padding: int, mode: Any, seed: int
) -> None:
    torch.manual_seed(seed)
    sides = SIDES[:dims]
    if any(side + 2 * padding < dilation * (kernel - 1) + 1 for side in sides):
        return
    conv = Convolution(
        2,
        2,
        kernel,
        dims=dims,
        stride=stride,
        dilation=dilation,
        groups=groups,
        padding=padding,
        padding_mode=mode,
        bias=False,
    ).double()
    matrix = convolution_matrix(
        conv.weight.detach().numpy(),
        sides,
        ends=[(padding, padding)] * dims,
        stride=stride,
        dilation=dilation,
        groups=groups,
        mode=mode,
    )
    assert_is_matrix(conv, matrix, 2, *sides)


@settings(max_examples=60, deadline=None)
@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    mode=st.sampled_from([*PADDING_MODES, -1.5]),
    seed=st.integers(0, 10_000),
)
def test_same_padding_takes_every_mode(dims: int, kernel: int, stride: int, mode: Any, seed: int) -> None:
    torch.manual_seed(seed)
    sides = SIDES[:dims]
    conv = Convolution(2, 2, kernel, dims=dims, padding="same", stride=stride, padding_mode=mode, bias=False).double()
    weight, ends = conv.weight.detach().numpy(), [same_ends(side, kernel, stride) for side in sides]
    if isinstance(mode, str):
        assert_is_matrix(conv, convolution_matrix(weight, sides, ends=ends, stride=stride, mode=mode), 2, *sides)
    else:  # zeros around an input from which the number is taken off, and which whole filters then see everywhere
        matrix = convolution_matrix(weight, sides, ends=ends, stride=stride)
        everywhere = np.repeat(mode * weight.reshape(2, -1).sum(1), len(matrix) // 2)
        assert_is_matrix(conv, matrix, 2, *sides, offset=everywhere - mode * matrix.sum(1))


def test_a_number_can_lie_around_the_input() -> None:
    conv = Convolution(1, 1, 3, padding=1, padding_mode=-2.5)
    whole = torch.full((1, 1, 5, 5), -2.5)
    whole[..., 1:-1, 1:-1] = torch.randn(3, 3)
    torch.testing.assert_close(
        conv(whole[..., 1:-1, 1:-1]), torch.conv2d(whole, conv.weight, conv.bias), atol=1e-5, rtol=1e-5
    )


def test_refuses_an_unknown_padding_mode() -> None:
    with pytest.raises(ValueError, match='one of zeros, reflect, replicate, circular, not "mirror"'):
        Convolution(1, 1, 3, padding_mode="mirror")  # type: ignore[arg-type]


def test_says_its_padding_mode() -> None:
    assert "padding_mode=reflect" in repr(Convolution(1, 1, 3, padding=1, padding_mode="reflect"))
    assert "padding_mode" not in repr(Convolution(1, 1, 3, padding=1))


def test_pointwise_is_one_matrix_at_each_place() -> None:
    conv = Convolution(3, 4, 1, bias=False)
    x = torch.randn(1, 3, 5, 4)
    torch.testing.assert_close(conv(x)[0, :, 2, 3], conv.weight[:, :, 0, 0] @ x[0, :, 2, 3])


@settings(max_examples=40, deadline=None)
@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    padding=st.sampled_from([0, 1]),
    seed=st.integers(0, 10_000),
)
def test_transposed_is_the_transposed_matrix(
    dims: int, kernel: int, stride: int, dilation: int, groups: int, padding: int, seed: int
) -> None:
    torch.manual_seed(seed)
    sides = SIDES[:dims]
    reach = dilation * (kernel - 1) + 1
    if any(side + 2 * padding < reach for side in sides):
        return
    conv = Convolution(4, 2, kernel, dims=dims, stride=stride, dilation=dilation, groups=groups, padding=padding)
    extra = tuple((side + 2 * padding - reach) % stride for side in sides)  # what the strided convolution left out
    spread = TransposedConvolution(
        2,
        4,
        kernel,
        dims=dims,
        stride=stride,
        dilation=dilation,
        groups=groups,
        padding=padding,
        output_padding=extra,
        bias=False,
    ).double()
    assert spread.weight.shape == conv.weight.shape
    matrix = convolution_matrix(
        spread.weight.detach().numpy(),
        sides,
        ends=[(padding, padding)] * dims,
        stride=stride,
        dilation=dilation,
        groups=groups,
    )
    places = conv(torch.zeros(1, 4, *sides)).shape[2:]
    assert spread(torch.zeros(1, 2, *places).double()).shape == (1, 4, *sides)
    assert_is_matrix(spread, matrix.T, 2, *places)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_same_goes_back_to_multiples_of_the_stride(kernel: int, stride: int) -> None:
    there = Convolution(1, 1, kernel, dims=1, stride=stride, padding="same", bias=False).double()
    back = TransposedConvolution(1, 1, kernel, dims=1, stride=stride, padding="same", bias=False).double()
    back.load_state_dict(there.state_dict())
    x, y = torch.randn(1, 1, 4 * stride).double(), torch.randn(1, 1, 4).double()
    assert back(y).shape == x.shape
    torch.testing.assert_close((there(x) * y).sum(), (x * back(y)).sum())  # <Cx, y> = <x, Cᵀy>


def test_transposed_may_reach_on_by_less_than_the_dilation() -> None:
    assert TransposedConvolution(1, 1, 3, dims=1, dilation=2, output_padding=1)(torch.zeros(1, 1, 4)).shape[2] == 9


def test_transposed_keeps_the_signals_size() -> None:
    torch.manual_seed(0)
    y = TransposedConvolution(64, 64, 4, stride=2, padding=1)(torch.randn(2, 64, 16, 16))
    assert y[..., 1:-1, 1:-1].var().item() == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "same", "output_padding": 1}, "output_padding=1"),
        ({"groups": 3}, "3 groups do not divide"),
        ({"stride": 0}, "stride cannot be 0"),
        ({"padding": "all"}, 'not "all"'),
        ({"padding": -1}, "not -1"),
        ({"output_padding": 1}, "not 1"),
        ({"output_padding": (1, 2), "stride": 2}, r"not \(1, 2\)"),
        ({"output_padding": -1, "stride": 2}, "not -1"),
    ],
)
def test_transposed_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransposedConvolution(4, 8, 3, **arguments)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_columns_times_weights_is_the_convolution(dims: int) -> None:
    conv = Convolution(2, 3, 2, dims=dims, stride=2, dilation=2).double()
    nn.init.normal_(conv.bias)
    x = torch.randn(4, 2, *[6, 7, 5][:dims], dtype=torch.float64)
    columns = windows(x, conv.kernel, conv.stride, conv.dilation)
    y = conv.weight.flatten(1) @ columns.flatten(3).flatten(1, 2) + conv.bias[:, None]
    torch.testing.assert_close(y, conv(x).flatten(2))


def test_each_example_can_have_its_own_filters() -> None:
    x, weight, bias = torch.randn(3, 2, 7, 6), torch.randn(3, 4, 2, 3, 2), torch.randn(3, 4)
    y = convolve_each(x, weight, (2, 1), (1, 2), bias)
    for one, w, b, answer in zip(x, weight, bias, y, strict=True):
        torch.testing.assert_close(answer, torch.conv2d(one[None], w, b, (2, 1), 0, (1, 2))[0], atol=1e-5, rtol=1e-5)
