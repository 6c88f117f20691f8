"""What the tests of the blocks share: the explicit matrix of a convolution, and the way through ONNX Runtime."""

import numpy as np
import torch
from torch import Tensor, nn

NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def convolution_matrix(
    weight: np.ndarray,
    sides: tuple[int, ...],
    *,
    ends: list[tuple[int, int]],
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    mode: str = "zeros",
) -> np.ndarray:
    """C of y = C x, with x and y as flat vectors: a row for each output, a column for each input."""
    if mode == "zeros":
        origin = [np.pad(np.arange(side), end, constant_values=-1) for side, end in zip(sides, ends, strict=True)]
    else:
        origin = [np.pad(np.arange(side), end, NUMPY_MODES[mode]) for side, end in zip(sides, ends, strict=True)]
    kernel = weight.shape[2:]
    places = [(len(axis) - dilation * (k - 1) - 1) // stride + 1 for axis, k in zip(origin, kernel, strict=True)]
    out_of_group, in_of_group = weight.shape[0] // groups, weight.shape[1]
    matrix = np.zeros((weight.shape[0], *places, in_of_group * groups, *sides))
    for o, c, *k in np.ndindex(*weight.shape):
        for place in np.ndindex(*places):
            where = [axis[p * stride + dilation * d] for axis, p, d in zip(origin, place, k, strict=True)]
            if min(where) >= 0:
                matrix[(o, *place, o // out_of_group * in_of_group + c, *where)] += weight[(o, c, *k)]
    return matrix.reshape(weight.shape[0] * int(np.prod(places)), -1)


def assert_exports(module: nn.Module, *inputs: Tensor, tolerance: float = 1e-5) -> None:
    """Exports with a batch of any size, and compares with torch at the given size and at another one."""
    import onnxruntime as ort

    module.eval()
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        module,
        inputs,
        dynamo=True,
        opset_version=18,
        dynamic_shapes=tuple({0: batch} for _ in inputs),
        verbose=False,
    )
    session = ort.InferenceSession(program.model_proto.SerializeToString())
    for given in (inputs, tuple(torch.cat([x, x.flip(0), x]) for x in inputs)):
        names = [one.name for one in session.get_inputs()]
        (y,) = session.run(None, dict(zip(names, (x.numpy() for x in given), strict=True)))
        with torch.no_grad():
            np.testing.assert_allclose(y, module(*given).numpy(), atol=tolerance, rtol=tolerance)


def assert_learns(module: nn.Module, y: Tensor) -> None:
    """The backward pass reaches every parameter."""
    y.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
