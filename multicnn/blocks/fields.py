"""Receptive fields along a network's graph: what each of PyTorch's operations does to each axis of a tensor."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from multicnn.blocks.arithmetic import Field, Window, output_size, per_axis, same_padding

Axes = tuple[Field | None, ...]  # one for each axis of a tensor; None where its index is not a place in the input

aten = torch.ops.aten


class Fields:
    """Remembers, for each tensor of a pass, what its places see of the pass's input.

    A gate that was computed from a whole map, as in squeeze-and-excitation, has no places and does not count.

    Args:
        example: the pass's input: [batch, channels, ...], or [batch, tokens] where it has two axes.
    """

    def __init__(self, example: Tensor) -> None:
        self._known: dict[int, tuple[Tensor, Axes]] = {}  # holding the tensors keeps their ids from being used again
        first = min(2, example.ndim - 1)
        self._set(example, (None,) * first + (Field(),) * (example.ndim - first))

    def of(self, tensor: Tensor) -> Axes:
        """A tensor's fields, one for each axis."""
        known = self._known.get(id(tensor))
        return known[1] if known else (None,) * tensor.ndim

    def _set(self, tensor: Tensor, axes: Axes) -> None:
        self._known[id(tensor)] = tensor, axes

    def follow(self, operation: Any, output: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Works out the fields of an operation's output.

        Args:
            operation: a packet of `torch.ops.aten`.
            output: what it gave: a tensor or several.
            args, kwargs: what it was given.
        """
        rule: Callable[..., Axes] = RULES.get(operation, _place_by_place)
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor):
                self._set(tensor, rule(self.of, tensor, *args, **kwargs))

    def settle(self, module: nn.Module, given: Tensor, output: Tensor) -> None:
        """Takes a module's word for its window (`kernel`, `stride`, ...) where the operations in it hide it."""
        dims = given.ndim - 2
        if any(self.of(output)) or output.ndim != given.ndim or not hasattr(module, "kernel"):
            return
        window = [getattr(module, key, other) for key, other in (("kernel", 1), ("stride", 1), ("dilation", 1))]
        try:
            kernels, strides, dilations = (per_axis(one, dims) for one in window)
            paddings = _module_padding(module, given.shape[2:], kernels, strides, dilations)
        except (TypeError, ValueError):
            return
        axes: list[Field | None] = [None, None]
        for field, size, result, *values in zip(
            self.of(given)[2:], given.shape[2:], output.shape[2:], kernels, strides, paddings, dilations, strict=True
        ):
            one = Window(*values)
            fits = size + 2 * one.padding > one.dilation * (one.kernel - 1) and result in (
                output_size(size, one.kernel, one.padding, one.stride, one.dilation),
                -(-size // one.stride),
            )
            axes.append(_through(field, one) if fits else None)
        self._set(output, tuple(axes))


Of = Callable[[Tensor], Axes]


def _module_padding(
    module: nn.Module, sizes: Sequence[int], kernels: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[int, ...]:
    padding: Any = getattr(module, "padding", 0)
    if padding is None or padding == "same":
        return tuple(ends[0] for ends in map(same_padding, sizes, kernels, strides, dilations))
    return per_axis(0 if padding == "valid" else padding, len(kernels))


def _through(field: Field | None, window: Window) -> Field | None:
    return None if field is None else field.through(window)


def _meet(one: Field | None, other: Field | None) -> Field | None:
    """The field where two ways meet; one without places does not count, and unequal strides have no common field."""
    if one is None or other is None:
        return one or other
    return one.beside(other) if one.stride == other.stride else None


def _place_by_place(of: Of, output: Tensor, *args: Any, **kwargs: Any) -> Axes:
    """Whatever keeps an axis: addition, activation, normalisation, concatenation of channels."""
    axes: list[Field | None] = [None] * output.ndim
    for tensor in tree_leaves((args, kwargs)):
        if not isinstance(tensor, Tensor):
            continue
        known = of(tensor)
        for back in range(1, min(output.ndim, tensor.ndim) + 1):  # shapes are aligned at their last axes
            if tensor.shape[-back] == output.shape[-back]:
                axes[-back] = _meet(axes[-back], known[-back])
    return tuple(axes)


def _slide(axes: Axes, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Axes:
    """The last axes through one window each."""
    dims = len(kernel)
    values = (kernel, per_axis(_plain(stride), dims), per_axis(_plain(padding), dims), per_axis(_plain(dilation), dims))
    slid = (_through(field, Window(*one)) for field, *one in zip(axes[-dims:], *values, strict=True))
    return *axes[:-dims], *slid


def _plain(value: Any) -> Any:
    """A list of one number stands for every axis."""
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _convolution(
    of: Of,
    output: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    *_: Any,
) -> Axes:
    if transposed:
        return (None,) * output.ndim
    axes = _slide(of(x), weight.shape[2:], stride, padding, dilation)
    return axes[0], None, *axes[2:]


def _max_pool(
    of: Of, output: Tensor, x: Tensor, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, *_: Any
) -> Axes:
    kernel = kernel if len(kernel) > 1 else kernel * (x.ndim - 2)
    return _slide(of(x), kernel, stride or kernel, padding, dilation)


def _average_pool(of: Of, output: Tensor, x: Tensor, kernel: Any, stride: Any = (), padding: Any = 0, *_: Any) -> Axes:
    return _max_pool(of, output, x, kernel, stride, padding)


def _adaptive_pool(of: Of, output: Tensor, x: Tensor, size: Any) -> Axes:
    """Equal shares are a window; uneven ones and a single one have no places with one field."""
    axes = list(of(x))
    for axis in range(x.ndim - len(size), x.ndim):
        share, rest = divmod(x.shape[axis], output.shape[axis])
        whole = rest or (output.shape[axis] == 1 and share > 1)
        axes[axis] = None if whole else _through(axes[axis], Window(share, share))
    return tuple(axes)


def _pad(of: Of, output: Tensor, x: Tensor, ends: Sequence[int], *_: Any) -> Axes:
    axes = list(of(x))
    for back, before in enumerate(ends[::2], start=1):  # pairs of ends, the last axis first
        axes[-back] = _through(axes[-back], Window(1, padding=before))
    return tuple(axes)


def _slice(of: Of, output: Tensor, x: Tensor, axis: int = 0, start: int | None = None, *rest: Any) -> Axes:
    axes, size = list(of(x)), x.shape[axis]
    begin = start or 0
    step = rest[1] if len(rest) > 1 else 1
    axes[axis] = _through(axes[axis], Window(1, step, -(begin + size if begin < 0 else min(begin, size))))
    return tuple(axes)


def _unfold(of: Of, output: Tensor, x: Tensor, axis: int, size: int, step: int) -> Axes:
    axes = list(of(x))
    axes[axis] = _through(axes[axis], Window(size, step))
    return *axes, None


def _without(of: Of, output: Tensor, x: Tensor, axis: int = 0, *_: Any) -> Axes:
    """One index of an axis, or each of them by itself."""
    axis %= x.ndim
    return of(x)[:axis] + of(x)[axis + 1 :]


def _reduce(of: Of, output: Tensor, x: Tensor, axis: Any = None, keep: bool = False, **_: Any) -> Axes:
    """Mean, sum, maximum over some axes: they are gone, the others keep their places."""
    if axis is None or axis == [] or isinstance(axis, Tensor):
        return _place_by_place(of, output, x, *([axis] if isinstance(axis, Tensor) else []))
    gone = {one % x.ndim for one in ([axis] if isinstance(axis, int) else axis)}
    axes = of(x)
    return tuple(None if i in gone else axes[i] for i in range(x.ndim) if i not in gone or keep)


def _norm(of: Of, output: Tensor, x: Tensor, order: Any = 2, axis: Any = None, keep: bool = False, **_: Any) -> Axes:
    return _reduce(of, output, x, axis, keep)


def _view(of: Of, output: Tensor, x: Tensor, *_: Any, **__: Any) -> Axes:
    """Axes before and behind those that are split or merged keep their places."""
    axes, shape, old = of(x), output.shape, x.shape
    shorter = min(len(shape), len(old))
    front = next((i for i in range(shorter) if shape[i] != old[i]), shorter)
    back = next((i for i in range(shorter - front) if shape[-1 - i] != old[-1 - i]), shorter - front)
    return *axes[:front], *(None,) * (len(shape) - front - back), *axes[len(old) - back :]


def _permute(of: Of, output: Tensor, x: Tensor, order: Sequence[int]) -> Axes:
    return tuple(of(x)[axis] for axis in order)


def _transpose(of: Of, output: Tensor, x: Tensor, one: int = -1, other: int = -2) -> Axes:
    axes = list(of(x))
    if len(axes) > 1:
        axes[one], axes[other] = axes[other], axes[one]
    return tuple(axes)


def _unsqueeze(of: Of, output: Tensor, x: Tensor, axis: int) -> Axes:
    axis %= output.ndim
    return *of(x)[:axis], None, *of(x)[axis:]


def _squeeze(of: Of, output: Tensor, x: Tensor, axis: Any = None) -> Axes:
    chosen = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    gone = {one % x.ndim for one in chosen if x.shape[one] == 1}
    return tuple(field for i, field in enumerate(of(x)) if i not in gone)


def _stack(of: Of, output: Tensor, tensors: Sequence[Tensor], axis: int = 0) -> Axes:
    axes = _place_by_place(of, tensors[0], *tensors)
    axis %= output.ndim
    return *axes[:axis], None, *axes[axis:]


def _embedding(of: Of, output: Tensor, weight: Tensor, ids: Tensor, *_: Any) -> Axes:
    return *of(ids), None


def _linear(of: Of, output: Tensor, x: Tensor, *_: Any) -> Axes:
    return *of(x)[:-1], None


def _product(of: Of, output: Tensor, one: Tensor, other: Tensor) -> Axes:
    """Matrix products: the rows' places of the first, the columns' of the second."""
    return *of(one)[:-1], of(other)[-1]


RULES: dict[Any, Callable[..., Axes]] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _max_pool,
    aten.max_pool3d_with_indices: _max_pool,
    aten.avg_pool2d: _average_pool,
    aten.avg_pool3d: _average_pool,
    aten._adaptive_avg_pool2d: _adaptive_pool,
    aten._adaptive_avg_pool3d: _adaptive_pool,
    aten.adaptive_max_pool2d: _adaptive_pool,
    aten.adaptive_max_pool3d: _adaptive_pool,
    aten.constant_pad_nd: _pad,
    aten.reflection_pad1d: _pad,
    aten.reflection_pad2d: _pad,
    aten.reflection_pad3d: _pad,
    aten.replication_pad1d: _pad,
    aten.replication_pad2d: _pad,
    aten.replication_pad3d: _pad,
    aten.slice: _slice,
    aten.unfold: _unfold,
    aten.select: _without,
    aten.unbind: _without,
    aten.mean: _reduce,
    aten.sum: _reduce,
    aten.amax: _reduce,
    aten.amin: _reduce,
    aten.max: _reduce,
    aten.min: _reduce,
    aten.any: _reduce,
    aten.all: _reduce,
    aten.logsumexp: _reduce,
    aten.linalg_vector_norm: _norm,
    aten.view: _view,
    aten._unsafe_view: _view,
    aten.reshape: _view,
    aten.flatten: _view,
    aten.permute: _permute,
    aten.transpose: _transpose,
    aten.t: _transpose,
    aten.unsqueeze: _unsqueeze,
    aten.squeeze: _squeeze,
    aten.stack: _stack,
    aten.embedding: _embedding,
    aten.linear: _linear,
    aten.mm: _product,
    aten.bmm: _product,
}
