"""What the Inception networks share: modules in a row, one linear layer behind their mean, and heads on the way."""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone, Criterion
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalAveragePool


class InceptionNetwork(Backbone):
    """Children in the order in which they work, then the head's layers; auxiliary heads stand beside.

    An auxiliary head is a small classifier halfway up. It brings a short way for the gradient into the lower half, in
    training only: use and export know nothing of it. Szegedy et al. 2014, "Going Deeper with Convolutions", section 5.
    """

    classifier: ClassVar[str] = "fc"  # the last layer's name
    auxiliary_heads: ClassVar[dict[str, str]] = {}  # after which child which head looks
    auxiliary_share: ClassVar[float] = 0.0  # of each such head's loss in the whole

    def _add_head(self, width: int, classes: int, dropout: float) -> None:
        """Adds what comes behind the last maps, [batch, width, height, width]."""
        self.avgpool = GlobalAveragePool()
        self.dropout = Dropout(dropout)
        self.add_module(self.classifier, nn.Linear(width, classes))

    def _stages(self) -> Iterator[tuple[str, nn.Module]]:
        """The children of `features`, by name."""
        besides = {"avgpool", "dropout", self.classifier, *self.auxiliary_heads.values()}
        return ((name, child) for name, child in self.named_children() if name not in besides)

    @property
    def features(self) -> nn.Module:
        """[batch, channels, height, width] to maps, about a 32nd of the height and the width."""
        return nn.Sequential(*(child for _, child in self._stages()))

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        return nn.Sequential(self.avgpool, self.dropout, self.get_submodule(self.classifier))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one, in the auxiliary heads too."""
        old = self.get_submodule(self.classifier)
        assert isinstance(old, nn.Linear)
        self.add_module(self.classifier, nn.Linear(old.in_features, classes))
        for head in self._auxiliary().values():
            head.reset(classes)

    def _auxiliary(self) -> "dict[str, AuxiliaryHead]":
        """The auxiliary heads that are there, by the child after which they look."""
        there = dict(self.named_children())
        heads = {after: there.get(name) for after, name in self.auxiliary_heads.items()}
        return {after: head for after, head in heads.items() if isinstance(head, AuxiliaryHead)}

    def all_logits(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[batch, channels, height, width] to logits [batch, classes], and the auxiliary heads', from below."""
        heads, logits = self._auxiliary(), []
        for name, stage in self._stages():
            x = stage(x)
            if name in heads:
                logits.append(heads[name](x))
        return self.head(x), logits

    def training_loss(self, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        """The loss of the logits and a share of that of each auxiliary head; shapes as in `Network`."""
        logits, others = self.all_logits(x)
        loss = criterion(logits, truth)
        for other in others:
            loss = loss + self.auxiliary_share * criterion(other, truth)
        return logits, loss


class AuxiliaryHead(nn.Module):
    """A classifier halfway up, whose last layer is called as `last` says."""

    last: ClassVar[str]

    def reset(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        old = self.get_submodule(self.last)
        assert isinstance(old, nn.Linear)
        self.add_module(self.last, nn.Linear(old.in_features, classes))
