"""SqueezeNet: AlexNet's accuracy with a fiftieth of its weights."""

from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.fire import Fire
from multicnn.blocks.pooling import GlobalAveragePool
from multicnn.blocks.pooling_ceil import CeilMaxPool

POOL = 0  # in the plans below: a pooling in place of a Fire module; other numbers are its squeezed channels


class SqueezeNet(Backbone):
    """SqueezeNet, for photographs of 224 x 224.

    Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", table 1.
    The idea: 3x3 filters are dear, so few channels go into them, and resolution is given up late. No fully connected
    layer: each class has a map, whose mean counts. Names as in torchvision, whose weights fit.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        dropout: the share of the last features that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (224, 224)
    first: ClassVar[tuple[int, int]]  # the first convolution's filters and their extent
    plan: ClassVar[tuple[int, ...]]
    features: nn.Sequential

    def __init__(
        self, classes: int, channels: int = 3, size: tuple[int, int] = (224, 224), *, dropout: float = 0.5
    ) -> None:
        super().__init__()
        width, kernel = self.first
        layers: list[nn.Module] = [Convolution(channels, width, kernel, stride=2), nn.ReLU(inplace=True)]
        for squeezed in self.plan:
            if squeezed == POOL:
                layers.append(CeilMaxPool(3, stride=2))
            else:
                layers.append(Fire(width, squeezed, 4 * squeezed, 4 * squeezed))
                width = 8 * squeezed
        self.width = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            Dropout(dropout), _class_maps(width, classes), nn.ReLU(inplace=True), GlobalAveragePool()
        )

    @property
    def head(self) -> nn.Module:
        """Maps to logits, which are never negative here."""
        return self.classifier

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last convolution in place of the old one."""
        self.classifier[1] = _class_maps(self.width, classes)


def _class_maps(width: int, classes: int) -> Convolution:
    maps = Convolution(width, classes, 1)
    nn.init.normal_(maps.weight, std=0.01)
    return maps


class SqueezeNet1_0(SqueezeNet):  # noqa: N801
    """The paper's: 1,248,424 parameters with 1000 classes; inputs of 21 x 21 at least."""

    first = (96, 7)
    plan = (POOL, 16, 16, 32, POOL, 32, 48, 48, 64, POOL, 64)


class SqueezeNet1_1(SqueezeNet):  # noqa: N801
    """The authors' later edition, for 2.4 times less computing: 1,235,496 parameters; 17 x 17 at least."""

    first = (64, 3)
    plan = (POOL, 16, 16, POOL, 32, 32, POOL, 48, 48, 64, 64)
