"""The account of a network, layer by layer: shapes, parameters, multiply-adds, memory, receptive fields."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from multicnn.blocks.arithmetic import Field, in_mode, watch_kept, weight_shapes
from multicnn.blocks.fields import RULES, Fields

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer makes of one example, and what it costs.

    Attributes:
        name: the module's path in the network; a module that is called twice has two layers.
        kind: its class.
        output: the output's shape without the batch.
        parameters: those that no layer before it has counted.
        multiply_adds: of convolutions and matrix products.
        forward_bytes: what it writes and hands on; nothing where it works in place or only looks differently at it.
        backward_bytes: what autograd keeps at it for the backward pass, and has not kept already.
        fields: the receptive field along each axis of places; None where the output has no places.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    forward_bytes: int
    backward_bytes: int
    fields: tuple[Field, ...] | None

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """How many points of the input one place sees, along each axis."""
        return tuple(one.size for one in self.fields) if self.fields else None


def layer_table(module: nn.Module, example: Tensor) -> list[Layer]:
    """What each layer costs, in the order in which the layers are done; nothing is computed but shapes.

    A layer is a module without children. A module with children has a line behind theirs if it does something itself,
    as the sum of a residual block. Shapes, multiply-adds and the forward pass's memory are those in use, the
    backward pass's memory is that of training; what only runs in training, as auxiliary heads, has no line.

    Args:
        module: any module whose control flow does not look at values.
        example: one example, [1, ...]; only its shape and type matter.
    """
    one = torch.empty(1, *example.shape[1:], dtype=example.dtype, device="meta")
    shapes = weight_shapes(module)
    account = _Account(one, shapes)
    with in_mode(module, training=False), account.calls.watched(module), torch.inference_mode(), account:
        functional_call(module, shapes, (one,))
    kept = _kept(module, example)
    lines = [(call, round(kept[call.key])) for call in account.calls.done]
    return [call.layer(backward) for call, backward in lines if call.is_leaf or call.costs or backward]


def _kept(module: nn.Module, example: Tensor) -> Counter[tuple[str, int]]:
    """The bytes that autograd keeps, by the call that was at work."""
    calls = _Calls()
    kept: Counter[tuple[str, int]] = Counter()

    def tell(size: float) -> None:
        kept[calls.open[-1].key] += size  # type: ignore[assignment]

    with calls.watched(module):
        watch_kept(module, example, tell)
    return kept


@dataclass(eq=False)
class _Call:
    """One call of a module, while it is being counted."""

    key: tuple[str, int]  # the module's path, and how often it was called before
    module: nn.Module
    given: Tensor | None
    output: Tensor | None = None
    parameters: int = 0
    multiply_adds: int = 0
    forward_bytes: int = 0
    fields: tuple[Field, ...] = ()

    @property
    def is_leaf(self) -> bool:
        return next(self.module.children(), None) is None

    @property
    def costs(self) -> bool:
        return bool(self.parameters or self.multiply_adds or self.forward_bytes)

    def layer(self, backward_bytes: int) -> Layer:
        return Layer(
            name=self.key[0],
            kind=type(self.module).__name__,
            output=() if self.output is None else tuple(self.output.shape[1:]),
            parameters=self.parameters,
            multiply_adds=self.multiply_adds,
            forward_bytes=self.forward_bytes,
            backward_bytes=backward_bytes,
            fields=self.fields or None,
        )


@dataclass
class _Calls:
    """Which modules are at work and which are done, kept by forward hooks."""

    open: list[_Call] = field(default_factory=list)
    done: list[_Call] = field(default_factory=list)
    finish: Callable[[_Call], None] = lambda _: None
    _counts: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def watched(self, module: nn.Module) -> Iterator[None]:
        with ExitStack() as hooks:
            for name, one in module.named_modules():
                hooks.enter_context(one.register_forward_pre_hook(self._opener(name)))
                hooks.enter_context(one.register_forward_hook(self._close))
            yield

    def _opener(self, name: str) -> Callable[[nn.Module, Sequence[Any]], None]:
        def opens(module: nn.Module, given: Sequence[Any]) -> None:
            self.open.append(_Call((name, self._counts[name]), module, _first_tensor(given)))
            self._counts[name] += 1

        return opens

    def _close(self, module: nn.Module, given: Any, output: Any) -> None:
        call = self.open.pop()
        call.output = _first_tensor(output)
        self.finish(call)
        self.done.append(call)


class _Account(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation of a pass and counts it for the module at work.

    Args:
        example: the pass's input.
        weights: the network's own tensors.
    """

    def __init__(self, example: Tensor, weights: dict[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls = _Calls(finish=self._finish)
        self._fields = Fields(example)
        self._counted: set[int] = set()  # parameters
        self._seen: dict[int, torch.UntypedStorage] = {}  # holding the storages keeps their ids from being used again
        for tensor in (example, *weights.values()):
            self._new_bytes(tensor)

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        packet = operation.overloadpacket
        if packet not in RULES and packet not in flop_registry:
            with self:
                output = operation.decompose(*args, **kwargs)
            if output is not NotImplemented:
                return output
        output = operation(*args, **kwargs)
        self._fields.follow(packet, output, args, kwargs)
        if self.calls.open:
            call = self.calls.open[-1]
            call.multiply_adds += _multiply_adds(packet, args, kwargs, output)
            if not call.is_leaf:
                call.forward_bytes += self._new_bytes(output)
        return output

    def _finish(self, call: _Call) -> None:
        """When a module is done: its output, its parameters, its places."""
        if call.is_leaf:
            call.forward_bytes += self._new_bytes(call.output)
        call.parameters += self._new_parameters(call.module.parameters(recurse=False))
        if call.multiply_adds and not call.is_leaf:  # with weights of children that it did not call, as attention does
            call.parameters += self._new_parameters(call.module.parameters())
        if call.output is not None:
            if call.given is not None:
                self._fields.settle(call.module, call.given, call.output)
            call.fields = tuple(one for one in self._fields.of(call.output) if one)

    def _new_parameters(self, parameters: Iterable[Tensor]) -> int:
        """The size of those that no module has counted."""
        fresh = {id(parameter): parameter.numel() for parameter in parameters if id(parameter) not in self._counted}
        self._counted.update(fresh)
        return sum(fresh.values())

    def _new_bytes(self, output: Any) -> int:
        """The size of the storages that nobody has written to before."""
        fresh = 0
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if id(storage) not in self._seen:
                    self._seen[id(storage)] = storage
                    fresh += storage.nbytes()
        return fresh


def _multiply_adds(packet: Any, args: Any, kwargs: Any, output: Any) -> int:
    if packet is aten.linear:
        return int(output.numel() * args[1].shape[1])
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **kwargs, out_val=output)) // 2  # a multiplication and an addition
    return 0


def _first_tensor(values: Any) -> Tensor | None:
    return next((value for value in tree_leaves(values) if isinstance(value, Tensor)), None)
