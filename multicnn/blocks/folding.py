"""Folding: two neighbouring rows become one."""

from torch import Tensor, nn


class Folding(nn.Module):
    """Adds each row to its neighbour, so that the layer above sees them together; it has no weights.

    In networks whose filters slide along each row by itself, it is what makes rows depend on each other. Kalchbrenner
    et al. 2014, "A Convolutional Neural Network for Modelling Sentences", section 3.6.

    Args:
        rows: how many there are, an even number.
        maps: how many feature maps each row has.
    """

    def __init__(self, rows: int, maps: int) -> None:
        super().__init__()
        if rows < 2 or rows % 2 or maps < 1:
            raise ValueError(f"folding takes an even number of rows and 1 map or more, not {rows} and {maps}")
        self.rows, self.maps = rows, maps

    def forward(self, x: Tensor) -> Tensor:
        """[batch, rows * maps, time], the maps of a row side by side, to [batch, rows / 2 * maps, time]."""
        pairs = x.reshape(x.shape[0], self.rows // 2, 2, self.maps, x.shape[2])
        return pairs.sum(2).flatten(1, 2)

    def extra_repr(self) -> str:
        return f"rows={self.rows}, maps={self.maps}"
