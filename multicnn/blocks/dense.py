"""Dense blocks: every layer sees all layers before it."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import AveragePool


class DenseLayer(nn.Sequential):
    """A 1-wide convolution that gathers all that is known, and a 3-wide one that adds `growth` new channels.

    Huang et al. 2016, "Densely Connected Convolutional Networks", section 3: H_l of DenseNet-B,
    BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3).

    Args:
        channels_in: the channels of everything before it.
        growth: k, the channels that it adds.
        bottleneck: the 1-wide convolution gives bottleneck * growth channels.
        dropout: the share of its output that is dropped in training.
        dims: 1, 2 or 3.
    """

    def __init__(
        self, channels_in: int, growth: int, *, bottleneck: int = 4, dropout: float = 0.0, dims: int = 2
    ) -> None:
        inner = bottleneck * growth
        super().__init__(
            OrderedDict(
                norm1=BatchNorm(channels_in),
                relu1=nn.ReLU(inplace=True),
                conv1=Convolution(channels_in, inner, 1, bias=False, dims=dims),
                norm2=BatchNorm(inner),
                relu2=nn.ReLU(inplace=True),
                conv2=Convolution(inner, growth, 3, padding=1, bias=False, dims=dims),
                dropout=Dropout(dropout),
            )
        )


class DenseBlock(nn.Sequential):
    """Layers that each get the outputs of all the others before them, so that nothing has to be learned twice.

    Args:
        layers: how many.
        channels_in: the input's channels.
        growth: how many channels each layer adds.
        bottleneck, dropout, dims: as in `DenseLayer`.
    """

    def __init__(
        self, layers: int, channels_in: int, growth: int, *, bottleneck: int = 4, dropout: float = 0.0, dims: int = 2
    ) -> None:
        super().__init__()
        for i in range(layers):
            layer = DenseLayer(channels_in + i * growth, growth, bottleneck=bottleneck, dropout=dropout, dims=dims)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, ...] to [batch, channels_in + layers * growth, ...]."""
        for layer in self:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Sequential):
    """Between two dense blocks: fewer channels by a 1-wide convolution, then half the size by average pooling.

    [batch, channels_in, ...] to [batch, channels_out, ...], each axis floor(W / 2). Huang et al. 2016, section 3.
    """

    def __init__(self, channels_in: int, channels_out: int, *, dims: int = 2) -> None:
        super().__init__(
            OrderedDict(
                norm=BatchNorm(channels_in),
                relu=nn.ReLU(inplace=True),
                conv=Convolution(channels_in, channels_out, 1, bias=False, dims=dims),
                pool=AveragePool(2, dims=dims),
            )
        )
