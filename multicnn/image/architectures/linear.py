"""The linear classifier: the baseline that every network has to beat."""

import math
from collections import OrderedDict
from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone


class LinearClassifier(Backbone):
    """One weight for each pixel and class, for small pictures of one size.

    The idea: a class is a single template, and its score says how well the picture fits it; a horse that looks left and
    one that looks right share theirs, which then has two heads. 30,730 parameters for 3 x 32 x 32 and 10 classes.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; it takes no others.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    features: nn.Identity
    head: nn.Sequential

    def __init__(self, classes: int, channels: int = 3, size: tuple[int, int] = (32, 32)) -> None:
        super().__init__()
        self.shape = (channels, *size)
        self.features = nn.Identity()
        self.head = nn.Sequential(OrderedDict(flatten=nn.Flatten(), linear=nn.Linear(math.prod(self.shape), classes)))

    @property
    def templates(self) -> Tensor:
        """The weights as pictures, [classes, channels, height, width]."""
        linear = self.head.linear
        assert isinstance(linear, nn.Linear)
        return linear.weight.detach().reshape(-1, *self.shape)

    def reset_head(self, classes: int) -> None:
        """Puts fresh templates in place of the old ones."""
        self.head.linear = nn.Linear(math.prod(self.shape), classes)
