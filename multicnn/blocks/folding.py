"""Folding: two neighbouring rows become one."""

from torch import Tensor, nn
from torch.nn import functional


class Folding(nn.Module):
    """Adds each row to its neighbour, so that the layer above sees them together; it has no weights.

    In networks whose filters slide along each row by itself, it is what makes rows depend on each other. Kalchbrenner
    et al. 2014, "A Convolutional Neural Network for Modelling Sentences", section 3.6.

    Args:
        rows: how many there are; of an odd number, the last stays by itself.
        maps: how many feature maps each row has.
    """

    def __init__(self, rows: int, maps: int) -> None:
        super().__init__()
        if min(rows, maps) < 1:
            raise ValueError(f"folding takes 1 row and 1 map or more, not {rows} and {maps}")
        self.rows, self.maps = rows, maps
        self.folded = (rows + 1) // 2

    def forward(self, x: Tensor) -> Tensor:
        """[batch, rows * maps, time], the maps of a row side by side, to [batch, ceil(rows / 2) * maps, time]."""
        if self.rows % 2:
            x = functional.pad(x, (0, 0, 0, self.maps))
        pairs = x.reshape(x.shape[0], self.folded, 2, self.maps, x.shape[2])
        return pairs.sum(2).flatten(1, 2)

    def extra_repr(self) -> str:
        return f"rows={self.rows}, maps={self.maps}"
