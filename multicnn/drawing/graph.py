"""What flows where in a network: its layers as nodes, seen by running it once on shapes alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from multicnn.blocks.arithmetic import in_mode, weight_shapes
from multicnn.text.architectures.embedding import WordVectors

# Modules that only accompany the layer before them: they are written into its box.
LIGHT = ("activation", "batchnorm", "normalization", "normalisation", "dropout")
# Operations that only look differently at values, or put zeros beside them.
SHAPES = {
    *("view", "_unsafe_view", "reshape", "flatten", "unflatten", "transpose", "permute", "t", "squeeze", "unsqueeze"),
    *("expand", "slice", "select", "narrow", "split", "split_with_sizes", "chunk", "unbind", "unfold", "flip", "roll"),
    *("pad", "constant_pad_nd", "clone", "contiguous", "detach", "alias", "_to_copy", "to", "copy_", "masked_fill"),
}
NAMES = {"add": "+", "add_": "+", "mul": "product", "mul_": "product", "cat": "concat", "relu": "ReLU", "relu_": "ReLU"}
# Operations outside of any layer that are worth a node though they have one input; the others are let through.
WORTH = {"relu", "relu_", "gelu", "sigmoid", "tanh", "softmax", "mean", "amax", "sum", "max_pool2d", "avg_pool2d"}


@dataclass(eq=False, slots=True)
class Node:
    """A box of the drawing.

    Attributes:
        name: the module's path in the network; empty for an operation between modules.
        kind: the module's class, or what joins: +, product, concat.
        detail: of a filter its extent and stride, as 3x3/2.
        output: the output's shape without the batch.
        parameters: those that no node before it has counted.
        inputs: the nodes whose outputs it takes.
        scopes: the calls of modules that it lies in, the outermost first.
        also: the kinds of the light layers behind it that are written into its box.
    """

    name: str
    kind: str
    detail: str = ""
    output: tuple[int, ...] = ()
    parameters: int = 0
    inputs: "list[Node]" = field(default_factory=list, repr=False)
    scopes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    light: bool = False

    @property
    def is_join(self) -> bool:
        """Whether it only brings branches together."""
        return not self.name and self.kind != "input"


@dataclass(slots=True)
class Graph:
    """All nodes, each behind its inputs, and the class of each call of a module with children."""

    nodes: list[Node]
    kinds: dict[str, str]

    def copy(self) -> "Graph":
        """A graph whose nodes can be changed without changing these."""
        new = {node: replace(node) for node in self.nodes}
        for node in new.values():
            node.inputs = [new[one] for one in node.inputs]
        return Graph(list(new.values()), self.kinds)


def trace(module: nn.Module, example: Tensor) -> Graph:
    """The graph of a network in use, without dropout and auxiliary heads; nothing is computed but shapes.

    A node is a call of a layer, that is of a module without children or one of PyTorch's own, or an operation between
    layers that joins branches. Where the way from the input to the output cannot be followed, for a network hides its
    tensors in other objects, the graph is a chain: the calls of the network's own children one behind the other.

    Args:
        module: any module whose control flow does not look at values.
        example: one example, [1, ...]; only its shape and type matter.
    """
    one = torch.empty(1, *example.shape[1:], dtype=example.dtype, device="meta")
    shapes = weight_shapes(module)
    flow = _Flow(module, one)
    with in_mode(module, training=False), flow.watched(), torch.inference_mode(), flow:
        output = functional_call(module, shapes, (one,))
    flow.count_own(module)
    used = _needed(flow.makers(output))
    if flow.nodes[0] not in used:
        return Graph(flow.chain, {})
    return Graph([node for node in flow.nodes if node in used], flow.kinds)


class _Flow(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every call of a module and every operation between layers, and who made the tensors that they take.

    Args:
        module: the network.
        example: the pass's input.
    """

    def __init__(self, module: nn.Module, example: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.module = module
        self.nodes = [Node("", "input", output=tuple(example.shape[1:]))]
        self.chain = self.nodes[:1]
        self.kinds: dict[str, str] = {}
        self._made: dict[int, tuple[Tensor, list[Node]]] = {}  # holding the tensors keeps their ids from being reused
        self._scopes: list[str] = []
        self._leaf: Node | None = None  # the layer at work
        self._worked = False  # whether it has done more than to look differently at what it was given
        self._counts: Counter[str] = Counter()
        self._counted: set[int] = set()  # parameters
        self._make(example, self.nodes[:1])

    def makers(self, values: Any) -> list[Node]:
        """The nodes whose outputs these tensors are, each once."""
        found = [node for one in tree_leaves(values) for node in self._made.get(id(one), (None, []))[1]]
        return list(dict.fromkeys(found))

    def _make(self, values: Any, by: list[Node]) -> None:
        for one in tree_leaves(values):
            if isinstance(one, Tensor) and one.dtype != torch.bool:  # masks are no values that flow
                self._made[id(one)] = one, by

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keeps hooks on every module but the network itself."""
        with ExitStack() as hooks:
            for name, one in self.module.named_modules():
                if name:
                    opens, closes = self._hooks(name, one)
                    hooks.enter_context(one.register_forward_pre_hook(opens))
                    hooks.enter_context(one.register_forward_hook(closes))
            yield

    def _hooks(self, name: str, module: nn.Module) -> Any:
        leaf, top = _is_leaf(module), "." not in name

        def opens(module: nn.Module, given: Sequence[Any]) -> None:
            if self._leaf is not None:
                return
            if leaf:
                self._worked = False
                light = any(one.__module__.rpartition(".")[2] in LIGHT for one in type(module).__mro__)
                self._leaf = Node(name, type(module).__name__, inputs=self.makers(given), scopes=(*self._scopes,))
                self._leaf.light = light and not isinstance(module, nn.MultiheadAttention)
            else:
                self._scopes.append(f"{name}#{self._counts[name]}")
                self.kinds[self._scopes[-1]] = type(module).__name__
                self._counts[name] += 1

        def closes(module: nn.Module, given: Any, output: Any) -> None:
            if leaf and self._leaf is not None and self._leaf.name == name:
                self._close(self._leaf, module, output)
            elif not leaf and self._leaf is None:
                self._scopes.pop()
                self.count_own(module)
            if top:
                self.chain.append(self._link(name, module, output))

        return opens, closes

    def _close(self, node: Node, module: nn.Module, output: Any) -> None:
        """A layer is done: it becomes a node, if it did anything to what it was given."""
        self._leaf = None
        if self._worked:
            node.output = _shape(output)
            node.detail = _detail(module, len(node.output) - 1)
            node.parameters = self._new_parameters(module)
            self.nodes.append(node)
            self._make(output, [node])
        else:
            self._make(output, node.inputs)

    def _link(self, name: str, module: nn.Module, output: Any) -> Node:
        """A box of the chain that is drawn where the data flow cannot be followed."""
        parameters = sum(one.numel() for one in module.parameters())
        shape = _shape(output)
        detail = _detail(module, len(shape) - 1)
        return Node(name, type(module).__name__, detail, shape, parameters, [self.chain[-1]])

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = operation(*args, **(kwargs or {}))
        name = operation.overloadpacket.__name__
        if self._leaf is not None:
            self._worked = self._worked or name not in SHAPES
            return output
        sources = self.makers((args, kwargs))
        if len(sources) > 1 or (sources and name in WORTH):
            node = Node("", NAMES.get(name, name.strip("_")), output=_shape(output), inputs=sources)
            node.scopes, node.light = (*self._scopes,), len(sources) == 1
            self.nodes.append(node)
            sources = [node]
        self._make(output, sources)
        return output

    def count_own(self, module: nn.Module) -> None:
        """Writes what a module with children has of its own, as ConvNeXt's scales, to the last node."""
        self.nodes[-1].parameters += self._new_parameters(module, recurse=False)

    def _new_parameters(self, module: nn.Module, recurse: bool = True) -> int:
        fresh = {id(one): one.numel() for one in module.parameters(recurse) if id(one) not in self._counted}
        self._counted.update(fresh)
        return sum(fresh.values())


def _needed(nodes: list[Node]) -> set[Node]:
    """These nodes and all from which they follow."""
    found: set[Node] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.inputs
    return found


def _is_leaf(module: nn.Module) -> bool:
    """A module without children, or one of PyTorch's that does more than to call its children."""
    containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    own = type(module).__module__.startswith("torch.nn.modules") and not isinstance(module, containers)
    return own or next(module.children(), None) is None


def _detail(module: nn.Module, places: int) -> str:
    """A filter's extent and stride over so many axes, 3x3/2; a linear layer's and an embedding's numbers."""
    if isinstance(module, nn.Linear):
        return f"{module.in_features:,} to {module.out_features:,}"
    if isinstance(module, nn.Embedding):
        return f"{module.num_embeddings:,} to {module.embedding_dim:,}"
    if isinstance(module, WordVectors):
        return f"{module.words:,} to {module.length:,}"
    kernel = _sizes(getattr(module, "kernel", None) or getattr(module, "kernel_size", None))
    stride = _sizes(getattr(module, "stride", None))
    if not kernel:
        return ""
    kernel *= places if len(kernel) == 1 else 1
    step = "" if not stride or set(stride) == {1} else f"/{stride[0] if len(set(stride)) == 1 else _by(stride)}"
    groups = getattr(module, "groups", 1)
    return f"{_by(kernel)}{step}" + (f", {groups} groups" if isinstance(groups, int) and groups > 1 else "")


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,)
    return tuple(value) if isinstance(value, tuple) and all(isinstance(one, int) for one in value) else ()


def _by(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _shape(values: Any) -> tuple[int, ...]:
    return next((tuple(one.shape[1:]) for one in tree_leaves(values) if isinstance(one, Tensor)), ())
