"""LeNet-5: the network that read the cheques."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.activation import activation as act
from multicnn.blocks.arithmetic import output_size
from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, MaxPool

POOLS = {"max": MaxPool, "average": AveragePool}
SMALLEST = 12


class LeNet(Backbone):
    """LeNet-5, for small grey pictures (the paper's are 1 x 32 x 32).

    LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", figure 2. The idea: convolution and
    subsampling in turns trade place for meaning, and all of it is learned, from the pixels to the answer.

    Differs from 1998 as is usual today: every map of C3 sees all maps of S2, subsampling has no weights, the output is
    linear; rectified units and maxima learn faster (`activation="tanh", pooling="average"` come closer to the paper).
    Inputs with a side under 32 are padded by 2 in C1, so that MNIST's 28 x 28 have the paper's sizes from there on.
    C5 is a convolution, as the paper says: on larger inputs it answers at several places, and their mean counts.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width, each at least 12.
        activation: a name from `blocks.activation`.
        pooling: "max" or "average".
        dropout: the share of F6's outputs that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        size: tuple[int, int] = (32, 32),
        *,
        activation: str = "relu",
        pooling: str = "max",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min(size) < SMALLEST:
            raise ValueError(f"{size[0]} x {size[1]} is too small, it takes 12 x 12 or more; image.size=28 would do")
        if pooling not in POOLS:
            raise ValueError(f"pooling is max or average, not {pooling}")
        pool, border = POOLS[pooling], 2 if min(size) < 32 else 0
        c5 = [min(5, _after_s4(side, border)) for side in size]
        self.features = nn.Sequential(
            OrderedDict(
                c1=nn.Sequential(Convolution(channels, 6, 5, padding=border), act(activation)),
                s2=pool(2),
                c3=nn.Sequential(Convolution(6, 16, 5), act(activation)),
                s4=pool(2),
            )
        )
        self.head = nn.Sequential(
            OrderedDict(
                c5=nn.Sequential(Convolution(16, 120, c5), act(activation), GlobalAveragePool()),
                f6=nn.Sequential(nn.Linear(120, 84), act(activation), Dropout(dropout)),
                output=nn.Linear(84, classes),
            )
        )

    def reset_head(self, classes: int) -> None:
        """Puts a fresh output layer in place of the old one; C5 and F6 keep what they learned."""
        self.head.output = nn.Linear(84, classes)


def _after_s4(side: int, border: int) -> int:
    s2 = output_size(output_size(side, 5, border), 2, stride=2)
    return output_size(output_size(s2, 5), 2, stride=2)
