"""What a network sees, or makes of an input: a layer's output in place of the probabilities. Never imports torch."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from multicnn.bundle.read import MODEL, Bundle
from multicnn.errors import UsageError
from multicnn.inference.predictor import Predictor
from multicnn.pipeline import Kind, Reader, load_reader

LayerName = Literal["frontend", "penultimate"]


class Layer(Predictor):
    """A layer of a trained model, ready to be asked; the stream of `answers` takes it like a Predictor.

    Args:
        bundle: what `open_bundle` gave.
        name: `frontend` or `penultimate`.

    Attributes:
        shape: of one input's output.
        labels: a name for each of its numbers.

    Raises:
        UsageError: the model has no layer of that name.
    """

    def __init__(self, bundle: Bundle, name: LayerName) -> None:
        with tempfile.TemporaryDirectory(prefix="multicnn-") as folder:
            cut = Path(folder) / MODEL
            self.shape = cut_graph(bundle.model, name, cut)
            super().__init__(replace(bundle, model=cut))
        self.labels = [str(number) for number in range(math.prod(self.shape))]

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """The layer's output for a batch of examples, float32 [batch, numbers], each input's in one row."""
        return super().probabilities(arrays).reshape(len(arrays), -1)


class TokenNumbers:
    """What a network for texts sees: the numbers of the tokens, filled up with 0 to the longest text that it reads.

    Numbers of words have no mean: of a text that is read in windows, these are the first window's.

    Args:
        bundle: what `open_bundle` gave, of a model for texts.
    """

    pipeline: Kind = "text"
    side_by_side = 1

    def __init__(self, bundle: Bundle) -> None:
        settings = bundle.meta["reader"]
        if settings.get("truncate") == "windows":
            settings = settings | {"truncate": "head"}
        self.reader: Reader = load_reader("text", settings)
        longest: int = settings["max_length"]
        self.shape = (longest,)
        self.labels = [str(number) for number in range(longest)]

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """float32 [batch, tokens]."""
        numbers = self.reader.collate(arrays)
        return np.pad(numbers, ((0, 0), (0, self.shape[0] - numbers.shape[1]))).astype(np.float32)


def open_layer(bundle: Bundle, name: LayerName) -> Layer | TokenNumbers:
    """A layer of a model.

    Raises:
        UsageError: as `Layer`.
    """
    if name == "frontend" and bundle.meta["pipeline"] == "text":
        return TokenNumbers(bundle)
    return Layer(bundle, name)


def cut_graph(model: Path, name: str, path: Path) -> tuple[int, ...]:
    """Writes the part of a graph that leads to one of its inner values, which becomes the output.

    Args:
        model: a .onnx file of multicnn's.
        name: the value's.
        path: the file to write.

    Returns:
        The value's shape, without the batch.

    Raises:
        UsageError: the graph has no such value, or its size depends on the input's.
    """
    import onnx
    from onnx import helper

    whole = onnx.load(model)
    graph = whole.graph
    found = [value for value in graph.value_info if value.name == name]
    if not found:
        raise UsageError(_missing(model, name, [value for node in graph.node for value in node.output]))
    shape = tuple(axis.dim_value for axis in found[0].type.tensor_type.shape.dim[1:])
    if not all(shape):
        raise UsageError(f"{model}: how large its {name} layer is depends on the length of the text; it cannot be had")
    nodes = _leading_to(name, graph.node)
    needed = {inside for node in nodes for inside in _inputs(node)}
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    part = helper.make_graph(nodes, name, list(graph.input), found, weights)
    opsets, functions = list(whole.opset_import), list(whole.functions)
    onnx.save(helper.make_model(part, opset_imports=opsets, ir_version=whole.ir_version, functions=functions), path)
    return shape


def _leading_to(name: str, nodes: Sequence[Any]) -> list[Any]:
    """The nodes that a value depends on, in their order."""
    needed, leading = {name}, []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            leading.append(node)
            needed |= _inputs(node)
    return leading[::-1]


def _inputs(node: Any) -> set[str]:
    """What a node looks at, and what the graphs inside it do."""
    inner = {name for attribute in node.attribute for one in attribute.g.node for name in _inputs(one)}
    return {*node.input, *inner}


def _missing(model: Path, name: str, values: Sequence[str]) -> str:
    if any(value.endswith(f"/{name}") for value in values):
        return f"{model} is an ensemble, whose members each have a {name} layer of their own; name one of its members"
    if "penultimate" in values:
        return f"{model} has no {name} layer beside its input"
    return f"{model} does not say which of its layers is {name}: an older multicnn wrote it; train it again"
