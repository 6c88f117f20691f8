"""Dropout: no unit may rely on another one."""

from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Module):
    """In training, sets each value to zero with probability p and scales up the rest; in use, does nothing.

    It trains many thinned networks at once and uses their average. Srivastava et al. 2014, "Dropout: A Simple Way to
    Prevent Neural Networks from Overfitting".

    Args:
        p: the share that is dropped, from 0 to below 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return functional.dropout(x, self.p, self.training) if self.p else x

    def extra_repr(self) -> str:
        return f"p={self.p}"
