"""The modules of Inception-ResNet-v2: Inception branches whose answer is a correction of what they got.

Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", figures 15 to
19. The names of the weights and the channels are those of timm and of the authors' published network.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.inception_unit import InceptionUnit, along_each_axis
from multicnn.blocks.inception_v4 import Branches, average_branch
from multicnn.blocks.pooling import MaxPool


class ResidualInception(nn.Module):
    """What the three residual modules share: branches, a linear projection of their answers, a scaled sum.

    y = relu(x + scale * project(branches(x))). Scaled down to 0.1 to 0.3, the sum keeps networks with more than 1000
    filters from dying early in training: section 3.3.

    Args:
        branches: what looks at the input, named branch0, branch1, ...
        between: the sum of their channels.
        channels: of the input and the output.
        scale: of the correction.
        rectify: whether a rectifier stands at the end; not so in the last module of the network.
        dims: 1, 2 or 3.
    """

    def __init__(
        self, branches: Sequence[nn.Module], between: int, channels: int, *, scale: float, rectify: bool, dims: int
    ) -> None:
        super().__init__()
        self.scale = scale
        self.branches = [f"branch{number}" for number in range(len(branches))]
        for name, branch in zip(self.branches, branches, strict=True):
            self.add_module(name, branch)
        self.conv2d = Convolution(between, channels, 1, dims=dims)
        self.act = nn.ReLU() if rectify else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same shape."""
        seen = torch.cat([self.get_submodule(name)(x) for name in self.branches], dim=1)
        answer: Tensor = self.act(x + self.scale * self.conv2d(seen))
        return answer

    def extra_repr(self) -> str:
        return f"scale={self.scale}"


class Block35(ResidualInception):
    """Inception-ResNet-A (figure 16), at 1/8 of the input's size, 35 x 35 in the paper: filters 1, 3 and twice 3 wide.

    Args:
        channels: of the input and the output.
        scale: of the correction.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels: int = 320, *, scale: float = 0.17, dims: int = 2) -> None:
        branches = [
            InceptionUnit(channels, 32, dims=dims),
            nn.Sequential(InceptionUnit(channels, 32, dims=dims), InceptionUnit(32, 32, 3, dims=dims)),
            nn.Sequential(
                InceptionUnit(channels, 32, dims=dims),
                InceptionUnit(32, 48, 3, dims=dims),
                InceptionUnit(48, 64, 3, dims=dims),
            ),
        ]
        super().__init__(branches, 128, channels, scale=scale, rectify=True, dims=dims)


class Block17(ResidualInception):
    """Inception-ResNet-B (figure 17), at 1/16 of the input's size: filters 1 and, axis by axis, 7 wide.

    Args:
        channels: of the input and the output.
        scale: of the correction.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels: int = 1088, *, scale: float = 0.1, dims: int = 2) -> None:
        branches = [
            InceptionUnit(channels, 192, dims=dims),
            nn.Sequential(InceptionUnit(channels, 128, dims=dims), *along_each_axis(128, 160, 192, 7, dims=dims)),
        ]
        super().__init__(branches, 384, channels, scale=scale, rectify=True, dims=dims)


class Block8(ResidualInception):
    """Inception-ResNet-C (figure 19), at 1/32 of the input's size: filters 1 and, axis by axis, 3 wide.

    Args:
        channels: of the input and the output.
        scale: of the correction.
        rectify: as in `ResidualInception`.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels: int = 2080, *, scale: float = 0.2, rectify: bool = True, dims: int = 2) -> None:
        branches = [
            InceptionUnit(channels, 192, dims=dims),
            nn.Sequential(InceptionUnit(channels, 192, dims=dims), *along_each_axis(192, 224, 256, 3, dims=dims)),
        ]
        super().__init__(branches, 448, channels, scale=scale, rectify=rectify, dims=dims)


class Mixed5b(Branches):
    """The end of the stem: filters 1, 5 and twice 3 wide and the neighbourhood's mean, before sums begin. It gives 320.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 192, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = InceptionUnit(channels_in, 96, dims=dims)
        self.branch1 = nn.Sequential(InceptionUnit(channels_in, 48, dims=dims), InceptionUnit(48, 64, 5, dims=dims))
        self.branch2 = nn.Sequential(
            InceptionUnit(channels_in, 64, dims=dims),
            InceptionUnit(64, 96, 3, dims=dims),
            InceptionUnit(96, 96, 3, dims=dims),
        )
        self.branch3 = average_branch(channels_in, 64, dims)


class ReductionB(Branches):
    """Figure 18: halves the size by four ways at once. It adds 992 channels.

    Args:
        channels_in: the input's channels.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int = 1088, *, dims: int = 2) -> None:
        super().__init__()
        self.branch0 = self._way(channels_in, 256, 384, dims=dims)
        self.branch1 = self._way(channels_in, 256, 288, dims=dims)
        self.branch2 = self._way(channels_in, 256, 288, 320, dims=dims)
        self.branch3 = MaxPool(3, stride=2, dims=dims)

    @staticmethod
    def _way(*widths: int, dims: int) -> nn.Sequential:
        """Pointwise, 3-wide ones that keep the size, and a last one that halves it."""
        first, *middle, last = itertools.pairwise(widths)
        return nn.Sequential(
            InceptionUnit(*first, dims=dims),
            *(InceptionUnit(*one, 3, dims=dims) for one in middle),
            InceptionUnit(*last, 3, stride=2, padding="valid", dims=dims),
        )
