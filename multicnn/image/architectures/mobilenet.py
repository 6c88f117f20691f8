"""MobileNetV2: the network for telephones."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.inverted import InvertedBottleneck
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import GlobalAveragePool
from multicnn.image.architectures.stem import is_small

# Table 2: expansion t, channels c, repetitions n, stride s of the first repetition.
PLAN = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
FEATURES = 1280


def unit(channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, and a rectifier that ends at 6, so that few bits suffice."""
    conv = Convolution(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, BatchNorm(channels_out), nn.ReLU6(inplace=True))


class MobileNetV2(Backbone):
    """MobileNetV2, for photographs of 224 x 224.

    Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2. The idea: filters work on
    many channels, each by itself, and only few channels are kept between the blocks. 3,504,872 parameters with 1000
    classes. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        stem: "imagenet"; "small" (as for CIFAR: the first two halvings are left out); "auto": small under 64 pixels.
        dropout: the share of the pooled features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    features: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        stem: str = "auto",
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        small = is_small(stem, size)
        width = 32
        layers: list[nn.Module] = [unit(channels, width, 3, stride=1 if small else 2)]
        for expansion, channels_out, repetitions, stride in PLAN:
            for number in range(repetitions):
                keep = number > 0 or (small and channels_out == 24)
                layers.append(InvertedBottleneck(width, channels_out, 1 if keep else stride, expansion=expansion))
                width = channels_out
        layers.append(unit(width, FEATURES))
        self.features = nn.Sequential(*layers)
        self.pool = GlobalAveragePool()
        self.classifier = nn.Sequential(Dropout(dropout), nn.Linear(FEATURES, classes))

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.pool, self.classifier)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.classifier[-1] = nn.Linear(FEATURES, classes)
