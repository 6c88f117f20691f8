"""A last layer whose logits start small."""

from torch import Tensor, nn


class ScaledLinear(nn.Linear):
    """A linear layer without bias whose output is scaled down, so that its logits start small and grow slowly.

    Page 2018, "How to Train Your ResNet 4: Architecture" (myrtle.ai), scales by an eighth.

    Args:
        features: what it takes.
        classes: what it gives.
        scale: what the output is multiplied by.
    """

    def __init__(self, features: int, classes: int, scale: float = 0.125) -> None:
        super().__init__(features, classes, bias=False)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """[batch, features] to [batch, classes]."""
        return super().forward(x) * self.scale
