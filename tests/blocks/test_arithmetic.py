import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from multicnn.blocks.arithmetic import (
    activation_bytes,
    output_size,
    parameter_count,
    per_axis,
    run_on_meta,
    same_padding,
)
from multicnn.blocks.normalisation import BatchNorm


@given(
    size=st.integers(1, 30),
    kernel=st.integers(1, 7),
    padding=st.integers(0, 3),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
)
def test_output_size_counts_the_places(size: int, kernel: int, padding: int, stride: int, dilation: int) -> None:
    last = size + 2 * padding - dilation * (kernel - 1) - 1  # where the window's first point can be at most
    places = len(range(0, last + 1, stride))
    if places == 0:
        with pytest.raises(ValueError, match="does not fit"):
            output_size(size, kernel, padding, stride, dilation)
    else:
        assert output_size(size, kernel, padding, stride, dilation) == places


@given(size=st.integers(1, 30), kernel=st.integers(1, 7), stride=st.integers(1, 4), dilation=st.integers(1, 3))
def test_same_padding_gives_the_rounded_up_share(size: int, kernel: int, stride: int, dilation: int) -> None:
    before, after = same_padding(size, kernel, stride, dilation)
    assert 0 <= after - before <= 1
    assert output_size(size + before + after, kernel, 0, stride, dilation) == -(-size // stride)


def test_one_number_stands_for_every_axis() -> None:
    assert per_axis(3, 2) == (3, 3)
    assert per_axis([3, 5], 2) == (3, 5)
    with pytest.raises(ValueError, match="2 numbers"):
        per_axis((1, 2, 3), 2)


def test_parameters_are_counted_on_the_meta_device() -> None:
    with torch.device("meta"):
        assert parameter_count(nn.Linear(1000, 1000)) == 1_001_000


def test_a_chain_of_layers_keeps_what_its_backward_pass_needs() -> None:
    layers = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5), nn.ReLU())
    # A linear layer keeps its input, a ReLU its output; the second layer's input is the first ReLU's output.
    assert activation_bytes(layers, torch.zeros(1, 10)) == 4 * (10 + 20 + 5)


def test_activation_bytes_leave_the_module_as_it_was() -> None:
    norm = BatchNorm(3).eval()
    assert activation_bytes(norm, torch.zeros(1, 3, 4, 4)) >= 4 * 3 * 4 * 4
    assert not norm.training
    assert norm.num_batches_tracked == 0
    assert norm.weight.device.type == "cpu"


def test_activation_bytes_grow_with_the_input() -> None:
    conv = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
    small, large = (activation_bytes(conv, torch.zeros(1, 3, side, side)) for side in (8, 16))
    assert large == 4 * small


def test_a_run_on_meta_gives_the_shape() -> None:
    assert run_on_meta(nn.Conv2d(3, 8, 3), torch.zeros(2, 3, 9, 9)).shape == (2, 8, 7, 7)
