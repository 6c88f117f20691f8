import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.training.memory import in_halves, is_out_of_memory


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("MPS backend out of memory")])
def test_a_batch_that_does_not_fit_is_answered_in_halves_in_order(error: RuntimeError) -> None:
    sizes = []

    def answer(inputs: Tensor) -> np.ndarray:
        sizes.append(len(inputs))
        if len(inputs) > 3:
            raise error
        return inputs[:, None].numpy() * 2.0

    inputs = torch.tensor([4, 0, 3, 1, 2, 9, 7])
    np.testing.assert_array_equal(in_halves(answer, inputs), inputs[:, None] * 2.0)
    assert sizes == [7, 3, 4, 2, 2]


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("shapes differ")])
def test_what_halving_cannot_mend_is_raised(error: RuntimeError) -> None:
    def answer(inputs: Tensor) -> np.ndarray:
        raise error

    with pytest.raises(RuntimeError, match=str(error)):
        in_halves(answer, torch.arange(4))


def test_what_this_machines_allocator_says_is_understood() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(10**15)
    assert is_out_of_memory(refused.value)
    assert not is_out_of_memory(RuntimeError("shapes differ"))
