"""Numbers that half precision, or whole numbers, cannot hold."""

import torch
from torch import Tensor


def widened(x: Tensor) -> Tensor:
    """x in float32, or as it is where it is wider: squares and long sums of half precision would leave its range."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
