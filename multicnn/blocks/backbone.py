"""What every architecture offers: features, and a head that can be changed."""

from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn


class Backbone(nn.Module):
    """A network in two parts: `features` finds what is there, `head` decides what it means.

    A subclass has both, as children or as properties that chain children with other names (so that the names of the
    weights can be a published file's), and says how to change the number of classes.
    """

    own_size: ClassVar[tuple[int, ...]]  # the input size of its paper, without batch and channels
    own_classes: ClassVar[int]  # those of its paper's data; pictures have ImageNet's or CIFAR-10's, by their size

    if TYPE_CHECKING:  # no property at run time: it would hide a child called `features`

        @property
        def features(self) -> nn.Module: ...

        @property
        def head(self) -> nn.Module: ...

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...], normalised, to logits [batch, classes]."""
        return self.head(self.features(x))  # type: ignore[no-any-return]
