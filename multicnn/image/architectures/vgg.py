"""VGG: nothing but 3x3 convolutions, many of them."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_regions import AdaptivePool
from multicnn.image.architectures.hidden import hidden_layer

WIDTHS = (64, 128, 256, 512, 512)


class VGG(Backbone):
    """VGG network, for photographs of 224 x 224, 32 x 32 at least.

    Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition", table 1. The
    idea: two 3x3 convolutions see what one 5x5 sees, with fewer weights and one more nonlinearity. Nine tenths of the
    weights lie in the fully connected layers. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; what is left of them is averaged into the paper's 7 x 7.
        hidden: the neurons of each of the two fully connected layers.
        dropout: the share of these neurons that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    depths: ClassVar[tuple[int, int, int, int, int]]
    normalised: ClassVar[bool] = False
    features: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        layers: list[nn.Module] = []
        for depth, width in zip(self.depths, WIDTHS, strict=True):
            for _ in range(depth):
                layers.append(Convolution(channels, width, 3, padding=1))
                if self.normalised:
                    layers.append(BatchNorm(width))
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(MaxPool(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = AdaptivePool(7, reduce="average")
        self.classifier = nn.Sequential(
            hidden_layer(channels * 7 * 7, hidden),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            hidden_layer(hidden, hidden),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Linear(hidden, classes),
        )

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, nn.Flatten(), self.classifier)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.classifier[-1] = nn.Linear(self.hidden, classes)


class VGG11(VGG):
    """Configuration A, 11 layers: 132,863,336 parameters with 1000 classes."""

    depths = (1, 1, 2, 2, 2)


class VGG13(VGG):
    """Configuration B, 13 layers: 133,047,848 parameters with 1000 classes."""

    depths = (2, 2, 2, 2, 2)


class VGG16(VGG):
    """Configuration D, 16 layers: 138,357,544 parameters with 1000 classes."""

    depths = (2, 2, 3, 3, 3)


class VGG19(VGG):
    """Configuration E, 19 layers: 143,667,240 parameters with 1000 classes."""

    depths = (2, 2, 4, 4, 4)


class VGG11BN(VGG11):
    """VGG-11 with batch normalisation behind each convolution (whose biases remain, for torchvision's weights)."""

    normalised = True


class VGG13BN(VGG13):
    """VGG-13 with batch normalisation behind each convolution."""

    normalised = True


class VGG16BN(VGG16):
    """VGG-16 with batch normalisation behind each convolution."""

    normalised = True


class VGG19BN(VGG19):
    """VGG-19 with batch normalisation behind each convolution."""

    normalised = True
