"""CapsNet: parts vote for the whole that they belong to."""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.backbone import Backbone, Criterion
from multicnn.blocks.capsule import DynamicRouting, LogLength, PrimaryCapsules
from multicnn.blocks.convolution import Convolution

LARGEST = 64  # pixels; there are already 18,432 lower capsules, each with a matrix for every class
LENGTH = 16  # numbers in a class's capsule


class CapsNet(Backbone):
    """CapsNet, for small pictures: 28 x 28 in the paper, 17 x 17 to 64 x 64 here.

    Sabour et al. 2017, "Dynamic Routing Between Capsules", figures 1 and 2. The idea: a vector for each thing, not a
    number, tells how it lies, and parts count for a whole only if they agree about that. 8,215,568 parameters for 28 x
    28, one channel and 10 classes. The logits are the logarithms of the class capsules' lengths, so the softmax gives
    each length's share of all lengths.

    It learns by the margin loss (equation 4), and by drawing its input from the true class's capsule (section 4.1).

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; the weights belong to this size.
        iterations: of the routing, 3 in the paper.
        reconstruction: what the drawing's sum of squared errors counts beside the other loss; 0 leaves the decoder out.
    """

    own_size: ClassVar[tuple[int, ...]] = (28, 28)
    loss: ClassVar[str] = "margin"

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        size: tuple[int, int] = (28, 28),
        *,
        iterations: int = 3,
        reconstruction: float = 0.0005,
    ) -> None:
        super().__init__()
        height, width = size
        if min(size) < 17:
            raise ValueError(
                f"{height} x {width} leaves no place for two filters of 9 x 9; 17 x 17 (image.size) would do"
            )
        if max(size) > LARGEST:
            raise ValueError(
                f"{height} x {width} has too many capsules; a size of 28 or at most {LARGEST} (image.size) would do"
            )
        self.classes, self.shape, self.reconstruction = classes, (channels, *size), reconstruction
        self.conv1 = nn.Sequential(Convolution(channels, 256, 9), nn.ReLU(inplace=True))
        below = 32 * ((height - 15) // 2) * ((width - 15) // 2)
        self.primary = PrimaryCapsules(256, 32, 8, 9, stride=2)
        self.routing = DynamicRouting(below, 8, classes, LENGTH, iterations=iterations)
        self.log_length = LogLength()
        self.decoder = _decoder(classes, math.prod(self.shape)) if reconstruction else None

    @property
    def features(self) -> nn.Module:
        """[batch, channels, height, width] to maps [batch, 256, height - 8, width - 8]."""
        return self.conv1

    @property
    def head(self) -> nn.Module:
        """Maps to logits, by way of the capsules."""
        return nn.Sequential(self.primary, self.routing, self.log_length)

    def reset_head(self, classes: int) -> None:
        """Puts fresh class capsules in place of the old ones; the decoder, which reads them, starts fresh too."""
        below, _, length, length_below = self.routing.weight.shape
        self.routing = DynamicRouting(below, length_below, classes, length, iterations=self.routing.iterations)
        self.classes = classes
        if self.decoder is not None:
            self.decoder = _decoder(classes, math.prod(self.shape))

    def training_loss(self, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        """The loss of the logits and the drawing's errors; shapes as in `Network`."""
        capsules = self._capsules(x)
        logits: Tensor = self.log_length(capsules)
        loss = criterion(logits, truth)
        if self.decoder is not None:
            wrong = self._draw(capsules, truth).float() - intensities(x).float()
            loss = loss + self.reconstruction * wrong.square().flatten(1).sum(1).mean()
        return logits, loss

    def reconstruct(self, x: Tensor, truth: Tensor) -> Tensor:
        """Draws the inputs from what their classes' capsules say about them.

        Args:
            x: inputs, [batch, channels, height, width].
            truth: the class whose capsule is drawn, [batch].

        Returns:
            Intensities from 0 to 1, [batch, channels, height, width].

        Raises:
            ValueError: it was built without a decoder.
        """
        return self._draw(self._capsules(x), truth)

    def _capsules(self, x: Tensor) -> Tensor:
        """The class capsules, [batch, classes, 16]."""
        capsules: Tensor = self.routing(self.primary(self.conv1(x)))
        return capsules

    def _draw(self, capsules: Tensor, truth: Tensor) -> Tensor:
        if self.decoder is None:
            raise ValueError("a CapsNet with reconstruction=0 has no decoder")
        masked = capsules * functional.one_hot(truth, self.classes).to(capsules)[:, :, None]
        drawn: Tensor = self.decoder(masked.flatten(1))
        return drawn.view(-1, *self.shape)


def intensities(x: Tensor) -> Tensor:
    """Each input from 0 (its least value) to 1 (its greatest), as the paper's digits are.

    The front end has normalised what the network sees, in a way that the network does not know; a digit's paper and ink
    are 0 and 1 again. A picture of one value is 0 everywhere.

    Args:
        x: [batch, ...], to the same shape.
    """
    flat = x.flatten(1)
    least, greatest = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    span = (greatest - least).clamp(min=torch.finfo(x.dtype).tiny)
    return ((flat - least) / span).view_as(x)


def _decoder(classes: int, pixels: int) -> nn.Sequential:
    """Figure 2: from all class capsules, all but one of them masked, to the pixels' intensities."""
    return nn.Sequential(
        nn.Linear(LENGTH * classes, 512),
        nn.ReLU(inplace=True),
        nn.Linear(512, 1024),
        nn.ReLU(inplace=True),
        nn.Linear(1024, pixels),
        nn.Sigmoid(),
    )
