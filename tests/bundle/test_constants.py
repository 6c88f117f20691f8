"""Constants of an ONNX file, read without onnx."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from multicnn.bundle.constants import constants

ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "table": np.array([[-5, 32767], [0, -32768]], np.int16),
    "counts": np.array([2**40, -1]),
    "scalar": np.array(7, np.int64),
    "none": np.zeros((0, 4), np.float32),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An ONNX file with the arrays, and with numbers that are stored in other ways."""
    others = [
        numpy_helper.from_array(np.array([1.0, 2.0]), "double"),
        helper.make_tensor("listed", TensorProto.FLOAT, [2], [1.0, 2.0]),
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in ARRAYS.items()]
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value], [*others, *tensors])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), path)
    return path


def test_they_are_what_onnx_reads(model: Path) -> None:
    found = constants(model)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and found[name].flags.aligned
        np.testing.assert_array_equal(found[name], array)


def test_an_unfinished_file_is_noticed(model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-5])
    with pytest.raises(EOFError):
        constants(model)


def test_onnx_is_not_imported(model: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from multicnn.bundle.constants import constants; "
        f"constants(Path({str(model)!r})); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"onnx", "onnxruntime", "torch"} & set(loaded)
