"""What the tests of the blocks share: the convolution by hand and as an explicit matrix, and the way through ONNX."""

import itertools

import numpy as np
import torch
from torch import Tensor, nn

NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def convolve_by_hand(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: int,
    ends: list[tuple[int, int]],
    dilation: int,
    groups: int,
) -> np.ndarray:
    """The definition: at each place the sum of weights times what lies under them; any number of axes."""
    x = np.pad(x, [(0, 0), (0, 0), *ends])
    kernel = weight.shape[2:]
    places = [(side - dilation * (k - 1) - 1) // stride + 1 for side, k in zip(x.shape[2:], kernel, strict=True)]
    out_of_group, in_of_group = weight.shape[0] // groups, weight.shape[1]
    y = np.empty((len(x), weight.shape[0], *places))
    for b, o in np.ndindex(y.shape[:2]):
        first = o // out_of_group * in_of_group
        for place in np.ndindex(*places):
            total = bias[o]
            for c in range(in_of_group):
                for k in np.ndindex(*kernel):
                    where = tuple(p * stride + d * dilation for p, d in zip(place, k, strict=True))
                    total += weight[(o, c, *k)] * x[(b, first + c, *where)]
            y[(b, o, *place)] = total
    return y


def same_ends(side: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What has to be added so that ceil(W / S) windows fit, the larger half behind; found by trying."""
    wanted = -(-side // stride)
    total = next(t for t in itertools.count() if (side + t - dilation * (kernel - 1) - 1) // stride + 1 >= wanted)
    if stride == 1:
        total = dilation * (kernel - 1)
    return total // 2, total - total // 2


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


def assert_is_matrix(module: nn.Module, matrix: np.ndarray, *shape: int, offset: np.ndarray | float = 0.0) -> None:
    """Forwards the module is y = C x + offset, and backwards its slope is multiplied by C's transpose."""
    x = torch.randn(1, *shape, dtype=torch.float64, requires_grad=True)
    y = module(x)
    np.testing.assert_allclose(y.detach().numpy().ravel(), matrix @ x.detach().numpy().ravel() + offset, atol=1e-12)
    slope = torch.randn_like(y)
    y.backward(slope)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy().ravel(), matrix.T @ slope.numpy().ravel(), atol=1e-12)


class SideBySide(nn.Module):
    """Several blocks on the same input, for one export of all."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(block(x) for block in self.blocks)


def examples(channels: int, dims: int) -> list[Tensor]:
    """Inputs of several sizes, for an export whose sizes are free."""
    sizes = ((2, 9, 8, 7), (1, 11, 9, 10), (3, 12, 11, 8))
    return [torch.randn(batch, channels, *sides[:dims]) for batch, *sides in sizes]


def assert_same_in_onnx(
    module: nn.Module, *inputs: Tensor | tuple[Tensor, ...], free: tuple[int, ...] = (0,), atol: float = 1e-5
) -> None:
    """Exports with the first input and compares with torch on each of them; the free axes may differ between them.

    An input is a tensor, or several for a module that takes several. One alone is compared in a larger batch too.
    """
    import onnxruntime as ort

    module.eval()
    given = [one if isinstance(one, tuple) else (one,) for one in inputs]
    if len(given) == 1:
        given.append(tuple(torch.cat([x, x.flip(0), x]) for x in given[0]))
    names = {axis: torch.export.Dim(f"axis{axis}", min=min(one[0].shape[axis] for one in given)) for axis in free}
    program = torch.onnx.export(
        module,
        given[0],
        dynamo=True,
        opset_version=18,
        dynamic_shapes=tuple({axis: names[axis] for axis in free if axis < x.dim()} for x in given[0]),
        verbose=False,
    )
    assert program is not None
    session = ort.InferenceSession(program.model_proto.SerializeToString())
    for one in given:
        results = session.run(None, {node.name: x.numpy() for node, x in zip(session.get_inputs(), one, strict=True)})
        with torch.no_grad():
            expected = module(*one)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted.numpy(), rtol=1e-5, atol=atol)


def assert_learns(module: nn.Module, y: Tensor) -> None:
    """The backward pass reaches every parameter."""
    y.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
