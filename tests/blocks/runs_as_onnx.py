"""One question for every block: does ONNX Runtime give the same numbers, at other sizes too?"""

import numpy as np
import torch
from torch import Tensor, nn


def assert_same_in_onnx(module: nn.Module, *examples: Tensor, free: tuple[int, ...] = (0,), atol: float = 1e-5) -> None:
    """Exports with the first example and compares on each of them; the free axes may differ between them."""
    import onnxruntime as ort

    module.eval()
    axes = ({axis: torch.export.Dim(f"axis{axis}", min=1) for axis in free},)
    program = torch.onnx.export(
        module, (examples[0],), dynamo=True, opset_version=18, dynamic_shapes=axes, verbose=False
    )
    assert program is not None
    session = ort.InferenceSession(program.model_proto.SerializeToString())
    for x in examples:
        results = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        expected = module(x)
        expected = expected if isinstance(expected, tuple) else (expected,)
        assert len(results) == len(expected)
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted.detach().numpy(), rtol=1e-5, atol=atol)
