"""AlexNet: the network with which it all began again."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import LocalResponseNorm
from multicnn.blocks.pooling import MaxPool
from multicnn.blocks.pooling_regions import AdaptivePool
from multicnn.image.architectures.hidden import hidden_layer

WIDTHS = {"2012": (96, 256, 384, 384, 256), "2014": (64, 192, 384, 256, 256)}


class AlexNet(Backbone):
    """AlexNet, for photographs of 224 x 224, 63 x 63 at least.

    Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", figure 2. The idea:
    LeNet's, made large, with rectified units that learn fast, dropout against overfitting, and two graphics cards.
    61,100,840 parameters with 1000 classes, the 2012 edition 62,378,344. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; what is left of them is averaged into the paper's 6 x 6.
        edition: "2014", the one tower of Krizhevsky's "One weird trick for parallelizing convolutional neural
            networks", or "2012" with its wider layers and response normalisation (both towers as one, ungrouped).
        hidden: the neurons of each of the two fully connected layers.
        dropout: the share of their inputs that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    features: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (224, 224),
        *,
        edition: str = "2014",
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        if edition not in WIDTHS:
            raise ValueError(f"edition is {' or '.join(WIDTHS)}, not {edition}")
        c1, c2, c3, c4, c5 = WIDTHS[edition]
        first, second = ([LocalResponseNorm()] if edition == "2012" else [] for _ in range(2))
        self.features = nn.Sequential(
            Convolution(channels, c1, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            *first,
            MaxPool(3, stride=2),
            Convolution(c1, c2, 5, padding=2),
            nn.ReLU(inplace=True),
            *second,
            MaxPool(3, stride=2),
            Convolution(c2, c3, 3, padding=1),
            nn.ReLU(inplace=True),
            Convolution(c3, c4, 3, padding=1),
            nn.ReLU(inplace=True),
            Convolution(c4, c5, 3, padding=1),
            nn.ReLU(inplace=True),
            MaxPool(3, stride=2),
        )
        self.avgpool = AdaptivePool(6, reduce="average")
        self.classifier = nn.Sequential(
            Dropout(dropout),
            hidden_layer(c5 * 6 * 6, hidden),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            hidden_layer(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, classes),
        )

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, nn.Flatten(), self.classifier)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.classifier[-1] = nn.Linear(self.hidden, classes)
