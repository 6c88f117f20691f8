import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from multicnn.blocks.arithmetic import (
    Field,
    Window,
    activation_bytes,
    multiply_adds,
    output_size,
    parameter_count,
    per_axis,
    receptive_field,
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


@given(
    windows=st.lists(
        st.builds(Window, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)), max_size=4
    ),
    place=st.integers(0, 5),
)
def test_a_field_holds_the_points_that_the_windows_reach(windows: list[Window], place: int) -> None:
    points = {place}
    for window in reversed(windows):  # from the output back to the input, by the definition of a window
        begins = [point * window.stride - window.padding for point in points]
        points = {begin + i * window.dilation for begin in begins for i in range(window.kernel)}
    field = receptive_field(windows)
    assert min(points) == place * field.stride - field.padding
    assert max(points) - min(points) + 1 == field.size


def test_the_fields_of_the_paper() -> None:
    # Araujo et al. 2019, table 1: AlexNet v2 has a receptive field of 195, an effective stride of 32, a padding of 64
    alexnet = [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
    assert receptive_field(Window(*one) for one in alexnet) == Field(195, 32, 64)


def test_two_ways_that_meet_see_what_either_sees() -> None:
    wide, narrow = receptive_field([Window(7, 2, 3)]), receptive_field([Window(3, 2, 0), Window(2)])
    assert (wide, narrow) == (Field(7, 2, 3), Field(5, 2, 0))
    assert wide.beside(narrow) == narrow.beside(wide) == Field(8, 2, 3)
    with pytest.raises(ValueError, match="strides of 2 and 1"):
        wide.beside(Field())


def test_multiply_adds_of_convolutions_and_matrices() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=2), BatchNorm(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 3 * 3, 10)
    )
    network.train()
    assert multiply_adds(network, torch.zeros(1, 4, 5, 5)) == 3 * 3 * 8 * (4 // 2 * 9) + 72 * 10
    assert network.training
