"""ConvNeXt: a convolutional network that took the transformers' habits."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.depthwise import DepthwiseConvolution
from multicnn.blocks.dropout import StochasticDepth
from multicnn.blocks.normalisation import LayerNorm
from multicnn.blocks.pooling import GlobalAveragePool


class Permute(nn.Module):
    """Puts the axes in another order: channels last for what works on each place by itself, and back."""

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """Any tensor of four axes, in the new order."""
        return x.permute(self.axes)


def place_norm(channels: int) -> LayerNorm:
    """Layer normalisation of each place by itself, over its channels."""
    return LayerNorm(channels, each_place=True, eps=1e-6)


class ConvNeXtBlock(nn.Module):
    """A wide filter for each channel by itself, then a perceptron on the channels; the sum with the input.

    Liu et al. 2022, figure 4 (right). Each block's own answer starts almost at zero, by a learned scale for each
    channel, and is left out for some examples in training (stochastic depth, Huang et al. 2016).

    Args:
        channels: the input's and the output's.
        skip: the chance with which the block is left out for an example in training.
    """

    def __init__(self, channels: int, skip: float) -> None:
        super().__init__()
        self.block = nn.Sequential(
            DepthwiseConvolution(channels, 7, padding=3),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))
        self.stochastic_depth = StochasticDepth(skip)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] to the same shape."""
        return x + self.stochastic_depth(self.layer_scale * self.block(x))  # type: ignore[no-any-return]


class ConvNeXtTiny(Backbone):
    """ConvNeXt-T, for photographs of 224 x 224, 32 x 32 at least.

    Liu et al. 2022, "A ConvNet for the 2020s", figure 2 and table 9. The idea: a ResNet-50, modernised step by step
    with what transformers do (patches, large windows, few normalisations, GELU), does as well as they. 28,589,128
    parameters with 1000 classes. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        stochastic_depth: the chance with which the last block is left out in training; it grows from 0 at the first.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    depths: ClassVar[tuple[int, ...]] = (3, 3, 9, 3)
    widths: ClassVar[tuple[int, ...]] = (96, 192, 384, 768)
    features: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        stochastic_depth: float = 0.1,
    ) -> None:
        super().__init__()
        skips = iter(torch.linspace(0, stochastic_depth, sum(self.depths), device="cpu").tolist())
        layers = [nn.Sequential(Convolution(channels, self.widths[0], 4, stride=4), place_norm(self.widths[0]))]
        before = None
        for depth, width in zip(self.depths, self.widths, strict=True):
            if before:
                layers.append(nn.Sequential(place_norm(before), Convolution(before, width, 2, stride=2)))
            layers.append(nn.Sequential(*(ConvNeXtBlock(width, next(skips)) for _ in range(depth))))
            before = width
        self.features = nn.Sequential(*layers)
        self.avgpool = GlobalAveragePool()
        self.classifier = nn.Sequential(place_norm(width), nn.Identity(), nn.Linear(width, classes))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, self.classifier)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.classifier[-1] = nn.Linear(self.widths[-1], classes)
