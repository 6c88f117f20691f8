"""Batches that do not fit the device's memory are halved until they do."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def in_halves(answer: Callable[[Tensor], np.ndarray], inputs: Tensor) -> np.ndarray:
    """Answers for a batch, in halves where the whole does not fit.

    Args:
        answer: from a batch, [batch, ...], to a row for each example, [batch, ...].
        inputs: the batch.

    Raises:
        RuntimeError: not even one example fits, or something else than memory failed.
    """
    try:
        return answer(inputs)
    except RuntimeError as error:
        if len(inputs) < 2 or not is_out_of_memory(error):
            raise
    # Not in the handler: its traceback would keep the failed batch's tensors.
    half = len(inputs) // 2
    return np.concatenate([in_halves(answer, inputs[:half]), in_halves(answer, inputs[half:])])


# What the CPU's allocator and oneDNN, MPS and CUDA's libraries say; PyTorch has an error of its own for CUDA only.
WORDS = ("DefaultCPUAllocator", "bad_alloc", "could not create a primitive", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether it was memory."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in WORDS)
