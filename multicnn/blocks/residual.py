"""Residual blocks: learn what to add to the input, not the output itself."""

from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.normalisation import BatchNorm


def shortcut(channels_in: int, channels_out: int, stride: int, dims: int) -> nn.Module:
    """The way around a block: the input itself, or its projection where the shape changes (He et al., option B)."""
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    project = Convolution(channels_in, channels_out, 1, stride=stride, bias=False, dims=dims)
    return nn.Sequential(project, BatchNorm(channels_out))


class BasicBlock(nn.Module):
    """Two 3-wide convolutions and a way around them, so that gradients reach the lowest layers of deep networks.

    He et al. 2015, "Deep Residual Learning for Image Recognition", figure 5 (left).

    Args:
        channels_in: the input's channels.
        width: the output's channels.
        stride: of the first convolution.
        dims: 1, 2 or 3.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, channels_in: int, width: int, stride: int = 1, *, dims: int = 2) -> None:
        super().__init__()
        self.conv1 = Convolution(channels_in, width, 3, stride=stride, padding=1, bias=False, dims=dims)
        self.bn1 = BatchNorm(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = Convolution(width, width, 3, padding=1, bias=False, dims=dims)
        self.bn2 = BatchNorm(width)
        self.downsample = shortcut(channels_in, width, stride, dims)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, width, ...], each axis ceil(W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + self.downsample(x))  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """A 3-wide convolution on few channels, between a 1-wide one that narrows and one that widens four times.

    He et al. 2015, figure 5 (right). The stride sits in the 3-wide convolution, so that no input is skipped, as in the
    ResNet "v1.5" that torchvision's weights hold.

    Args:
        channels_in: the input's channels.
        width: the channels in the middle; the output has four times as many.
        stride: of the middle convolution.
        dims: 1, 2 or 3.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, channels_in: int, width: int, stride: int = 1, *, dims: int = 2) -> None:
        super().__init__()
        self.conv1 = Convolution(channels_in, width, 1, bias=False, dims=dims)
        self.bn1 = BatchNorm(width)
        self.conv2 = Convolution(width, width, 3, stride=stride, padding=1, bias=False, dims=dims)
        self.bn2 = BatchNorm(width)
        self.conv3 = Convolution(width, width * self.expansion, 1, bias=False, dims=dims)
        self.bn3 = BatchNorm(width * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(channels_in, width * self.expansion, stride, dims)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, 4 width, ...], each axis ceil(W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + self.downsample(x))  # type: ignore[no-any-return]


class PreActivationBlock(nn.Module):
    """Normalisation and activation before each convolution, so that the way around stays free of both.

    What a block adds then passes unchanged through all blocks behind it, and networks of a thousand layers train.
    He et al. 2016, "Identity Mappings in Deep Residual Networks", figure 4 (e). Where the shape changes, the activated
    input is projected. A network of such blocks ends with one more normalisation and activation.

    Args:
        channels_in: the input's channels.
        width: the output's channels.
        stride: of the first convolution.
        dims: 1, 2 or 3.
    """

    def __init__(self, channels_in: int, width: int, stride: int = 1, *, dims: int = 2) -> None:
        super().__init__()
        self.bn1 = BatchNorm(channels_in)
        self.conv1 = Convolution(channels_in, width, 3, stride=stride, padding=1, bias=False, dims=dims)
        self.bn2 = BatchNorm(width)
        self.conv2 = Convolution(width, width, 3, padding=1, bias=False, dims=dims)
        self.relu = nn.ReLU(inplace=True)
        same = stride == 1 and channels_in == width
        self.downsample = None if same else Convolution(channels_in, width, 1, stride=stride, bias=False, dims=dims)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, width, ...], each axis ceil(W / stride)."""
        y = self.relu(self.bn1(x))
        around = x if self.downsample is None else self.downsample(y)
        y = self.relu(self.bn2(self.conv1(y)))
        return self.conv2(y) + around  # type: ignore[no-any-return]
