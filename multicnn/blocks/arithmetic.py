"""What a layer costs: output size, parameters, memory."""

import math
from collections.abc import Sequence

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
    output: Tensor = functional_call(module, _shapes(module), (example.to("meta"),))
    return output


def activation_bytes(module: nn.Module, example: Tensor) -> int:
    """The memory that one training example occupies between the forward and the backward pass, in bytes.

    It counts what autograd keeps for the backward pass, every storage once and the module's own tensors not at all;
    working memory inside a single operation comes on top.

    Args:
        module: a module in the precision in which it will train.
        example: one example, [1, ...].
    """
    shapes = _shapes(module)
    own = {id(tensor.untyped_storage()) for tensor in shapes.values()}
    kept: dict[int, torch.UntypedStorage] = {}  # holding the storages keeps their ids from being used again

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if id(storage) not in own:
            kept[id(storage)] = storage
        return tensor

    pair = torch.empty(2, *example.shape[1:], dtype=example.dtype, device="meta")  # batch normalisation refuses one
    was_training = module.training
    module.train()
    try:
        with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
            functional_call(module, shapes, (pair,))
    finally:
        module.train(was_training)
    return math.ceil(sum(storage.nbytes() for storage in kept.values()) / 2)


def _shapes(module: nn.Module) -> dict[str, Tensor]:
    """A module's parameters and buffers without their values, by name."""
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    return {
        name: torch.empty_like(tensor, device="meta").requires_grad_(tensor.requires_grad)
        for name, tensor in tensors.items()
    }
