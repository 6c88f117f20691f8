"""Losses: how wrong the logits are, as one number."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.errors import did_you_mean


class Loss(nn.Module):
    """What all losses share: they are a mean over the batch, in which a class may count more than another.

    It is the weighted mean, sum of w l over sum of w, as in torch: weights shift the classes' shares and leave the
    size of the loss alone.

    Args:
        weights: how much each class counts, [classes]; all alike where they are left out.
    """

    weights: Tensor | None

    def __init__(self, *, weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weights", None if weights is None else torch.as_tensor(weights, dtype=torch.float32))
        if self.weights is not None and not _one_for_each_class(self.weights):
            raise ValueError(f"weights are one number for each class, from 0 on, not {self.weights.tolist()}")

    def total(self, truth: Tensor) -> Tensor | int:
        """How much examples weigh together: what the mean over them is divided by.

        Args:
            truth: the true classes' numbers, [batch], or what each class has of the truth, [batch, classes].
        """
        if self.weights is None:
            return len(truth)
        return self.weights[truth].sum() if truth.ndim == 1 else (truth * self.weights).sum()

    def class_weights(self, logits: Tensor) -> Tensor | None:
        """The weights, [classes], in the logits' precision.

        Raises:
            ValueError: weights for another number of classes.
        """
        if self.weights is None:
            return None
        if len(self.weights) != logits.shape[1]:
            raise ValueError(f"{len(self.weights)} weights are not one for each of {logits.shape[1]} classes")
        return self.weights.to(logits.dtype)


def _one_for_each_class(weights: Tensor) -> bool:
    return weights.ndim == 1 and len(weights) > 0 and bool((weights.isfinite() & (weights >= 0)).all())


class CrossEntropy(Loss):
    """The logarithm of the probability that the true class was denied: -log softmax(s)_y.

    With label smoothing a little of the truth goes to every class, so that logits need not grow for ever: Szegedy et
    al. 2015, "Rethinking the Inception Architecture for Computer Vision", section 7.

    Args:
        label_smoothing: the share that is spread over all classes, from 0 to 1.
        weights: as in `Loss`.
    """

    def __init__(self, *, label_smoothing: float = 0.0, weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__(weights=weights)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label smoothing is a share from 0 to 1, not {label_smoothing}")
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Logits and the truth to one number, as in `Loss`; smoothed, the other classes' weights count as well.

        A truth that is shared among classes counts as that many shares of an example: with weights, sum of t w l over
        sum of t w, and smoothing spreads its part of each.

        Args:
            logits: [batch, classes].
            truth: the true classes' numbers, [batch], or what each class has of the truth, [batch, classes].
        """
        weights, smooth = self.class_weights(logits), self.label_smoothing
        if weights is None and truth.ndim == 1:
            return functional.cross_entropy(logits, truth, label_smoothing=smooth)
        shares = functional.one_hot(truth, logits.shape[1]).to(logits) if truth.ndim == 1 else truth
        weights = logits.new_ones(logits.shape[1]) if weights is None else weights
        losses = -weights * logits.log_softmax(1)
        wrong = (1 - smooth) * (shares * losses).sum() + smooth * losses.mean(1).sum()
        total = (shares * weights).sum()
        nothing = total == 0  # 0 / 0 has no slope either
        return (wrong / total.masked_fill(nothing, 1.0)).masked_fill(nothing, 0.0)


class SingleTruth(Loss, ABC):
    """A loss of each example, which has one true class; the arguments are those of `Loss`."""

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Measures.

        Args:
            logits: [batch, classes].
            truth: the true classes' numbers, [batch].

        Returns:
            One number; 0 where all of the batch's classes weigh nothing.

        Raises:
            ValueError: weights for another number of classes.
        """
        weights = self.class_weights(logits)
        losses = self.each(logits, truth)
        if weights is None:
            return losses.mean()
        shares = weights[truth]
        total = shares.sum()
        return (shares * losses).sum() / total.masked_fill(total == 0, 1.0)

    @abstractmethod
    def each(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Logits [batch, classes] and the true classes' numbers [batch] to each example's loss, [batch]."""


class Hinge(SingleTruth):
    """The multi-class support vector machine's loss: sum over the wrong classes j of max(0, s_j - s_y + margin).

    Once the true class leads by the margin the loss is 0, and it asks for nothing more. Weston and Watkins 1999,
    "Support Vector Machines for Multi-Class Pattern Recognition"; as in the notes of Stanford's CS231n.

    Args:
        margin: by how much the true class has to lead.
        weights: as in `Loss`.
    """

    def __init__(self, *, margin: float = 1.0, weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__(weights=weights)
        if margin <= 0:
            raise ValueError(f"the true class has to lead by more than nothing, not by {margin}")
        self.margin = margin

    def each(self, logits: Tensor, truth: Tensor) -> Tensor:
        """As in `Loss`."""
        true = truth[:, None]
        behind = (logits - logits.gather(1, true) + self.margin).relu()
        return behind.scatter(1, true, 0.0).sum(1)


class Focal(SingleTruth):
    """Cross-entropy that loses interest in what is known: -(1 - p)^gamma log p, p the true class's probability.

    Many easy examples cannot drown the few hard ones. Lin et al. 2017, "Focal Loss for Dense Object Detection",
    equation 5, with softmax probabilities; the weights are its alpha.

    Args:
        gamma: how fast the interest fades; 0 is cross-entropy.
        weights: as in `Loss`.
    """

    def __init__(self, *, gamma: float = 2.0, weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__(weights=weights)
        if gamma < 0:
            raise ValueError(f"gamma is 0 or more, not {gamma}")
        self.gamma = gamma

    def each(self, logits: Tensor, truth: Tensor) -> Tensor:
        """As in `Loss`."""
        log_p = logits.log_softmax(1).gather(1, truth[:, None])[:, 0]
        doubt = -torch.expm1(log_p)  # 1 - p without cancellation
        doubt = doubt.clamp(min=torch.finfo(doubt.dtype).tiny)  # at 0 a power below 1 is infinitely steep
        return -(doubt**self.gamma) * log_p


class Margin(SingleTruth):
    """The true class's capsule is to be long, all others short: lengths of 0.9 and 0.1 are enough.

    max(0, 0.9 - v_y)^2 + lambda * sum over the wrong classes j of max(0, v_j - 0.1)^2, v the lengths, whose logarithms
    are the logits. Sabour et al. 2017, "Dynamic Routing Between Capsules", equation 4.

    Args:
        present, absent: the lengths that are enough.
        down_weight: lambda; below 1 it keeps the first steps from shrinking all capsules.
        weights: as in `Loss`.
    """

    def __init__(
        self,
        *,
        present: float = 0.9,
        absent: float = 0.1,
        down_weight: float = 0.5,
        weights: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(weights=weights)
        if not 0 <= absent < present:
            raise ValueError(f"a present capsule is longer than an absent one, not {present} and {absent}")
        self.present, self.absent, self.down_weight = present, absent, down_weight

    def each(self, logits: Tensor, truth: Tensor) -> Tensor:
        """As in `Loss`."""
        lengths = logits.exp()
        true = truth[:, None]
        short = (self.present - lengths.gather(1, true)[:, 0]).relu().square()
        long = (lengths - self.absent).relu().square().scatter(1, true, 0.0).sum(1)
        return short + self.down_weight * long


LOSSES: dict[str, Callable[..., Loss]] = {
    "cross_entropy": CrossEntropy,
    "hinge": Hinge,
    "focal": Focal,
    "margin": Margin,
}


def loss(name: str, **settings: object) -> Loss:
    """A new loss from the table, with its own settings.

    Raises:
        ValueError: a name that is not in the table.
    """
    if name not in LOSSES:
        raise ValueError(f"there is no loss {name}{did_you_mean(name, LOSSES) or ': ' + ', '.join(LOSSES)}")
    return LOSSES[name](**settings)
