from typing import Any

import numpy as np
import pytest
import torch
from block_checks import convolve_by_hand, same_ends
from hypothesis import given, settings
from hypothesis import strategies as st

from multicnn.blocks.convolution import Convolution


@settings(max_examples=40, deadline=None)
@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    padding=st.sampled_from([0, 1, "same", "valid"]),
    seed=st.integers(0, 10_000),
)
def test_agrees_with_the_definition(
    dims: int, kernel: int, stride: int, dilation: int, groups: int, padding: Any, seed: int
) -> None:
    torch.manual_seed(seed)
    conv = Convolution(
        2, 4, kernel, dims=dims, stride=stride, dilation=dilation, groups=groups, padding=padding
    ).double()
    torch.nn.init.normal_(conv.bias)
    x = torch.randn(1, 2, *[6, 5, 5][:dims], dtype=torch.float64)
    if padding == "same":
        ends = [same_ends(side, kernel, stride, dilation) for side in x.shape[2:]]
    else:
        ends = [(0, 0) if padding == "valid" else (padding, padding)] * dims
    expected = convolve_by_hand(
        x.numpy(), conv.weight.detach().numpy(), conv.bias.detach().numpy(), stride, ends, dilation, groups
    )
    np.testing.assert_allclose(conv(x).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


def test_kernel_and_stride_may_differ_by_axis() -> None:
    conv = Convolution(1, 1, (1, 5), stride=(1, 2), padding="same")
    assert conv(torch.zeros(1, 1, 8, 9)).shape == (1, 1, 8, 5)


def test_starts_with_he_weights_and_no_bias() -> None:
    torch.manual_seed(0)
    conv = Convolution(64, 128, 3)
    assert conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    assert not conv.bias.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels_out": 0}, "channels cannot be 4 and 0"),
        ({"kernel": 0}, "kernel cannot be 0"),
        ({"stride": (1, 0)}, "stride cannot be 1 and 0"),
        ({"dims": 4}, "1, 2 or 3 axes, not 4"),
        ({"groups": 3}, "3 groups do not divide 4 and 8"),
        ({"padding": "some"}, 'not "some"'),
        ({"padding": (1, -1)}, "not 1 and -1"),
        ({"kernel": (3, 3, 3)}, "2 numbers"),
    ],
)
def test_refuses_what_makes_no_filter(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Convolution(**{"channels_in": 4, "channels_out": 8, "kernel": 3, **arguments})


def test_says_what_it_is() -> None:
    shown = repr(Convolution(4, 8, 3, stride=2, padding="same", groups=2))
    assert "4, 8, kernel=(3, 3), stride=(2, 2), padding=same" in shown
