"""The constants of an ONNX file as arrays, without the onnx package and without a copy of the others."""

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from multicnn.bundle.protobuf import fields

# onnx.proto: ModelProto.graph, GraphProto.initializer, and what a TensorProto says of itself
GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9
TYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 5: np.dtype("<i2"), 7: np.dtype("<i8")}


def constants(path: Path) -> dict[str, np.ndarray]:
    """The constants by name that lie in the file as raw bytes of float32, int16 or int64; others are left out.

    Args:
        path: a .onnx file.

    Raises:
        EOFError: it is no ONNX file.
    """
    found = {}
    with path.open("rb") as file:
        for graph in fields(file, path.stat().st_size):
            if graph.number != GRAPH:
                continue
            for tensor in fields(file, file.tell() + graph.value):
                if tensor.number == INITIALIZER and (named := _tensor(file, file.tell() + tensor.value)):
                    found[named[0]] = named[1]
    return found


def _tensor(file: BinaryIO, end: int) -> tuple[str, np.ndarray] | None:
    """A tensor and its name, where its numbers are of a known kind."""
    shape: list[int] = []
    kind, name, start, size = 0, "", 0, 0
    for field in fields(file, end):
        if field.is_number:
            if field.number == DIMS:
                shape.append(field.value)
            elif field.number == DATA_TYPE:
                kind = field.value
        elif field.number == NAME:
            name = file.read(field.value).decode()
        elif field.number == RAW_DATA:
            start, size = file.tell(), field.value
    dtype = TYPES.get(kind)
    if dtype is None or size != math.prod(shape) * dtype.itemsize:
        return None
    file.seek(start)
    return name, np.fromfile(file, dtype, math.prod(shape)).reshape(shape)
