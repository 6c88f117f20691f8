"""What a layer sees and costs: output size, receptive field, parameters, multiply-adds, memory."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call

Size = int | Sequence[int]


def per_axis(value: Size, dims: int) -> tuple[int, ...]:
    """One number for every axis, from a single number or from a sequence of `dims` numbers.

    Raises:
        ValueError: a sequence of another length.
    """
    values = (value,) * dims if isinstance(value, int) else tuple(value)
    if len(values) != dims:
        raise ValueError(f"{dims} numbers are needed, one for each axis, not {values}")
    return values


def output_size(size: int, kernel: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    """How many places a sliding window takes along one axis: floor((W - (D (F - 1) + 1) + 2 P) / S) + 1.

    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", relationship 15.

    Args:
        size: W, the input's length.
        kernel: F, the window's length.
        padding: P, how much is added at either end.
        stride: S, the window's step.
        dilation: D, the distance between the window's own points.

    Raises:
        ValueError: the window is longer than the padded input.
    """
    reach = dilation * (kernel - 1) + 1
    room = size + 2 * padding - reach
    if room < 0:
        raise ValueError(f"a window of {reach} does not fit into {size} + 2*{padding}")
    return room // stride + 1


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """The padding (before, after) with which a window yields ceil(W / S) outputs.

    An odd amount puts the larger half behind, as TensorFlow's SAME does.
    """
    reach = dilation * (kernel - 1)
    total = reach if stride == 1 else max(((size - 1) // stride) * stride + reach + 1 - size, 0)
    return total // 2, total - total // 2


class Window(NamedTuple):
    """A sliding window along one axis: of a convolution or a pooling.

    Attributes:
        kernel: F, how many points it has.
        stride: S, its step.
        padding: P, how far it begins before its input.
        dilation: D, the distance between its own points.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class Field(NamedTuple):
    """What the places behind a chain of windows see of the chain's input, along one axis.

    Place i sees the `size` points from i * stride - padding on.

    Attributes:
        size: the receptive field.
        stride: the effective stride, the distance between what two neighbouring places see.
        padding: the effective padding, how far the first place's field begins before the input.
    """

    size: int = 1
    stride: int = 1
    padding: int = 0

    def through(self, window: Window) -> "Field":
        """The field behind one more window."""
        reach = window.dilation * (window.kernel - 1)
        return Field(
            self.size + reach * self.stride, self.stride * window.stride, self.padding + window.padding * self.stride
        )

    def beside(self, other: "Field") -> "Field":
        """The field where two ways through a graph meet: all that either of them sees.

        Araujo et al. 2019, section "Arbitrary computation graphs".

        Raises:
            ValueError: their strides differ, so that no one field fits every place.
        """
        if self.stride != other.stride:
            raise ValueError(
                f"two ways with effective strides of {self.stride} and {other.stride} have no common field"
            )
        padding = max(self.padding, other.padding)
        end = max(self.size - self.padding, other.size - other.padding)
        return Field(padding + end, self.stride, padding)


def receptive_field(windows: Iterable[Window]) -> Field:
    """The receptive field of a chain of windows along one axis, with its effective stride and padding.

    With the strides before a layer multiplied, J_l = S_1 ... S_(l-1), the field is 1 + sum D_l (F_l - 1) J_l, the
    effective stride S_1 ... S_L and the effective padding sum P_l J_l. Araujo, Norris and Sim 2019, "Computing
    Receptive Fields of Convolutional Neural Networks", equations 2 and following.

    Args:
        windows: from the input on.
    """
    field = Field()
    for window in windows:
        field = field.through(window)
    return field


def parameter_count(module: nn.Module) -> int:
    """How many numbers a module learns; works on the meta device too."""
    return sum(parameter.numel() for parameter in module.parameters())


def run_on_meta(module: nn.Module, example: Tensor) -> Tensor:
    """Runs a module on the shapes alone: no arithmetic, no memory, and the module's own tensors stay untouched.

    Args:
        module: any module whose control flow does not look at values.
        example: a batch of the wanted shape and type, on any device.

    Returns:
        The output on the meta device.
    """
    output: Tensor = functional_call(module, weight_shapes(module), (example.to("meta"),))
    return output


def multiply_adds(module: nn.Module, example: Tensor) -> int:
    """The multiplications with an addition that one example costs in use, on shapes alone.

    Those of convolutions and matrix products, as is usual; what normalisation, activation and pooling cost is small.

    Args:
        module: any module whose control flow does not look at values.
        example: one example, [1, ...].
    """
    from torch.utils.flop_counter import FlopCounterMode  # it loads a compiler, which nothing else needs

    with in_mode(module, training=False), torch.no_grad(), FlopCounterMode(display=False) as counter:
        run_on_meta(module, example)
    return int(counter.get_total_flops()) // 2  # a multiplication and an addition


def activation_bytes(module: nn.Module, example: Tensor) -> int:
    """The memory that one training example occupies between the forward and the backward pass, in bytes.

    It counts what autograd keeps for the backward pass, every storage once and the module's own tensors not at all;
    working memory inside a single operation comes on top.

    Args:
        module: a module in the precision in which it will train.
        example: one example, [1, ...].
    """
    sizes: list[float] = []
    watch_kept(module, example, sizes.append)
    return math.ceil(sum(sizes))


def watch_kept(module: nn.Module, example: Tensor, tell: Callable[[float], None]) -> None:
    """Runs the forward pass of a training step on shapes alone, and tells of what autograd keeps for the backward pass.

    Args:
        module: in the precision in which it will train.
        example: one example, [1, ...].
        tell: is called the first time that a storage is kept, with its bytes for one example.
    """
    shapes = weight_shapes(module)
    own = {id(tensor.untyped_storage()) for tensor in shapes.values()}
    kept: dict[int, torch.UntypedStorage] = {}  # holding the storages keeps their ids from being used again

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if id(storage) not in own and id(storage) not in kept:
            kept[id(storage)] = storage
            tell(storage.nbytes() / 2)
        return tensor

    pair = torch.empty(2, *example.shape[1:], dtype=example.dtype, device="meta")  # batch normalisation refuses one
    with in_mode(module, training=True), torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
        functional_call(module, shapes, (pair,))


@contextmanager
def in_mode(module: nn.Module, training: bool) -> Iterator[None]:
    """Puts a module into training or evaluation mode for a while."""
    was_training = module.training
    module.train(training)
    try:
        yield
    finally:
        module.train(was_training)


def weight_shapes(module: nn.Module) -> dict[str, Tensor]:
    """A module's parameters and buffers without their values, by name, on the meta device."""
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    return {
        name: torch.empty_like(tensor, device="meta").requires_grad_(tensor.requires_grad)
        for name, tensor in tensors.items()
    }
