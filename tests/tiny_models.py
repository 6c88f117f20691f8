"""Bundles that are made in milliseconds and whose answers can be told by hand."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

COLOURS = ["red", "green", "blue"]
FEELINGS = ["negative", "positive"]
WORDS = ["good", "bad", "odd"]  # "odd" makes the text model's output not a number
SHARPNESS = 10.0


def image_model(folder: Path) -> Path:
    """Softmax of SHARPNESS times the mean of each colour channel (0 to 1) of a 4 x 4 picture."""
    nodes = [
        helper.make_node("Cast", ["input"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    weights = np.eye(3, dtype=np.float32) * SHARPNESS / 255
    constants = {"axes": np.array([1, 2], np.int64), "weights": weights}
    graph = _graph(nodes, constants, TensorProto.UINT8, ["batch", 4, 4, 3], len(COLOURS))
    reader = {"height": 4, "width": 4, "color": "rgb", "resize": "squash", "interpolation": "bilinear"}
    return _write(folder, graph, _meta("image", COLOURS, reader, ["batch", 4, 4, 3], "uint8"))


def text_model(folder: Path) -> Path:
    """Softmax of ("bad" minus "good", "good" minus "bad"), counted; not a number where "odd" occurs."""
    table = np.array([[0, 0], [0, 0], [-1, 1], [1, -1], [np.nan, 0]], np.float32)  # padding, unknown, then WORDS
    nodes = [
        helper.make_node("Gather", ["table", "input"], ["embedded"]),
        helper.make_node("ReduceSum", ["embedded", "axes"], ["logits"], keepdims=0),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    constants = {"axes": np.array([1], np.int64), "table": table}
    graph = _graph(nodes, constants, TensorProto.INT32, ["batch", "tokens"], len(FEELINGS))
    reader = {"tokenizer": "whitespace", "vocabulary": WORDS, "max_length": 2000, "min_length": 1}
    return _write(folder, graph, _meta("text", FEELINGS, reader, ["batch", "tokens"], "int32"))


def _graph(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], dtype: int, shape: list[str | int], classes: int
) -> onnx.GraphProto:
    return helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", dtype, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )


def _meta(
    pipeline: str, labels: list[str], reader: dict[str, Any], shape: list[str | int], dtype: str
) -> dict[str, Any]:
    return {
        "format": 1,
        "pipeline": pipeline,
        "name": "tiny",
        "labels": labels,
        "reader": reader,
        "architecture": {"name": "tiny", "options": {}, "parameters": 9},
        "input": {"dtype": dtype, "shape": shape},
        "provenance": {"multicnn": "0.1.0", "created": "2025-01-01T00:00:00+00:00", "data": "by hand"},
        "figures": {"validation": {"accuracy": 0.5, "log_loss": 0.7, "count": 4}, "test": None},
    }


def _write(folder: Path, graph: onnx.GraphProto, meta: dict[str, Any]) -> Path:
    """Writes model.onnx, with the metadata inside, and bundle.json beside it."""
    folder.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"other": "tool", "multicnn": json.dumps(meta)})
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    files = {"model.onnx": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "bundle.json").write_text(json.dumps({**meta, "files": files}))
    return folder
