"""The five modules of Inception-v3 (Szegedy et al. 2015, figures 5 to 7 and 10)."""

import torch
from torch import Tensor, nn

from multicnn.blocks.inception_unit import InceptionUnit
from multicnn.blocks.pooling import AveragePool, MaxPool


class InceptionA(nn.Module):
    """Figure 5: a filter as wide as 5x5 is two of 3x3. [batch, in, h, w] to [batch, 224 + pooled, h, w]."""

    def __init__(self, channels_in: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = InceptionUnit(channels_in, 64)
        self.branch5x5_1 = InceptionUnit(channels_in, 48)
        self.branch5x5_2 = InceptionUnit(48, 64, 5)
        self.branch3x3dbl_1 = InceptionUnit(channels_in, 64)
        self.branch3x3dbl_2 = InceptionUnit(64, 96, 3)
        self.branch3x3dbl_3 = InceptionUnit(96, 96, 3)
        self.pool = AveragePool(3, stride=1, padding=1)
        self.branch_pool = InceptionUnit(channels_in, pooled)

    def forward(self, x: Tensor) -> Tensor:
        """Four branches side by side."""
        wide = self.branch5x5_2(self.branch5x5_1(x))
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), wide, twice, self.branch_pool(self.pool(x))], dim=1)


class InceptionB(nn.Module):
    """Figure 10: halves the size and adds channels at once. [batch, in, h, w] to [batch, 480 + in, h / 2, w / 2]."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.branch3x3 = InceptionUnit(channels_in, 384, 3, stride=2, padding="valid")
        self.branch3x3dbl_1 = InceptionUnit(channels_in, 64)
        self.branch3x3dbl_2 = InceptionUnit(64, 96, 3)
        self.branch3x3dbl_3 = InceptionUnit(96, 96, 3, stride=2, padding="valid")
        self.pool = MaxPool(3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Three branches side by side."""
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), twice, self.pool(x)], dim=1)


class InceptionC(nn.Module):
    """Figure 6: a 7x7 filter is 1x7 and 7x1. [batch, in, h, w] to [batch, 768, h, w]."""

    def __init__(self, channels_in: int, inner: int) -> None:
        super().__init__()
        self.branch1x1 = InceptionUnit(channels_in, 192)
        self.branch7x7_1 = InceptionUnit(channels_in, inner)
        self.branch7x7_2 = InceptionUnit(inner, inner, (1, 7))
        self.branch7x7_3 = InceptionUnit(inner, 192, (7, 1))
        self.branch7x7dbl_1 = InceptionUnit(channels_in, inner)
        self.branch7x7dbl_2 = InceptionUnit(inner, inner, (7, 1))
        self.branch7x7dbl_3 = InceptionUnit(inner, inner, (1, 7))
        self.branch7x7dbl_4 = InceptionUnit(inner, inner, (7, 1))
        self.branch7x7dbl_5 = InceptionUnit(inner, 192, (1, 7))
        self.pool = AveragePool(3, stride=1, padding=1)
        self.branch_pool = InceptionUnit(channels_in, 192)

    def forward(self, x: Tensor) -> Tensor:
        """Four branches side by side."""
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(self.pool(x))], dim=1)


class InceptionD(nn.Module):
    """Halves the size, with a 7x7 filter on the way. [batch, in, h, w] to [batch, 512 + in, h / 2, w / 2]."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.branch3x3_1 = InceptionUnit(channels_in, 192)
        self.branch3x3_2 = InceptionUnit(192, 320, 3, stride=2, padding="valid")
        self.branch7x7x3_1 = InceptionUnit(channels_in, 192)
        self.branch7x7x3_2 = InceptionUnit(192, 192, (1, 7))
        self.branch7x7x3_3 = InceptionUnit(192, 192, (7, 1))
        self.branch7x7x3_4 = InceptionUnit(192, 192, 3, stride=2, padding="valid")
        self.pool = MaxPool(3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Three branches side by side."""
        small = self.branch3x3_2(self.branch3x3_1(x))
        wide = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([small, wide, self.pool(x)], dim=1)


class InceptionE(nn.Module):
    """Figure 7: 1x3 and 3x1 side by side, for many features on few places. [batch, in, h, w] to [batch, 2048, h, w]."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.branch1x1 = InceptionUnit(channels_in, 320)
        self.branch3x3_1 = InceptionUnit(channels_in, 384)
        self.branch3x3_2a = InceptionUnit(384, 384, (1, 3))
        self.branch3x3_2b = InceptionUnit(384, 384, (3, 1))
        self.branch3x3dbl_1 = InceptionUnit(channels_in, 448)
        self.branch3x3dbl_2 = InceptionUnit(448, 384, 3)
        self.branch3x3dbl_3a = InceptionUnit(384, 384, (1, 3))
        self.branch3x3dbl_3b = InceptionUnit(384, 384, (3, 1))
        self.pool = AveragePool(3, stride=1, padding=1)
        self.branch_pool = InceptionUnit(channels_in, 192)

    def forward(self, x: Tensor) -> Tensor:
        """Six branches side by side."""
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(once),
                self.branch3x3_2b(once),
                self.branch3x3dbl_3a(twice),
                self.branch3x3dbl_3b(twice),
                self.branch_pool(self.pool(x)),
            ],
            dim=1,
        )
