"""Dynamic k-max pooling: long sentences keep more of their answers than short ones."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from multicnn.blocks.pooling import k_largest

Length = TypeVar("Length", int, Tensor)


class DynamicKMaxPool(nn.Module):
    """Keeps each channel's k largest values in their order; k falls with depth and grows with the sentence.

    In layer l of L convolutional layers, k = max(k_top, ceil((L - l) / L * s)) for a sentence of s words. So the layers
    shrink a sentence evenly, from its own length to the k_top that the classifier takes. Kalchbrenner et al. 2014, "A
    Convolutional Neural Network for Modelling Sentences", section 3.3.

    Args:
        layer: l, from 1.
        layers: L.
        k_top: the least that stays, and what the last layer keeps.
    """

    def __init__(self, layer: int, layers: int, k_top: int) -> None:
        super().__init__()
        if not 1 <= layer <= layers:
            raise ValueError(f"layer {layer} is none of the layers 1 to {layers}")
        if k_top < 1:
            raise ValueError(f"k-max pooling keeps at least one value, not k_top={k_top}")
        self.layer, self.layers, self.k_top = layer, layers, k_top

    def forward(self, x: Tensor, mask: Tensor | None = None, sentence: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Pools over the last axis.

        Args:
            x: [batch, channels, time].
            mask: True where x is real and not padding, [batch, time].
            sentence: True where the sentence itself is, as it entered the first layer, [batch, words]: a wide
                convolution makes time longer. The mask, where it is left out.

        Returns:
            The values, [batch, channels, K], with the k of a sentence of `words` words as K; zeros follow where
            a shorter sentence keeps less. And where they are real, [batch, K], the next layer's mask.
        """
        mask = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
        sentence = mask if sentence is None else sentence
        longest: Any = torch.sym_max(self.k_top, self._share(sentence.shape[1]))  # in an export, its symbol
        own = self._share(sentence.sum(-1)).clamp(min=self.k_top)
        kept = torch.minimum(own, mask.sum(-1))
        real = torch.arange(longest, device=x.device) < kept[:, None]
        return k_largest(x, mask, kept, longest), real

    def _share(self, length: Length) -> Length:
        """ceil((L - l) / L * s), in whole numbers."""
        return ((self.layers - self.layer) * length + self.layers - 1) // self.layers

    def extra_repr(self) -> str:
        return f"layer={self.layer} of {self.layers}, k_top={self.k_top}"
