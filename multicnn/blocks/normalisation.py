"""Normalisation: signals of one size, whatever the layers below do."""

from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class BatchNorm(_BatchNorm):
    """Shifts and scales each channel to mean 0 and variance 1 over the batch, then by two learned numbers.

    In use, running means of the training take the place of the batch's figures. A convolution before it needs no
    bias, for the mean is taken off anyway. Ioffe and Szegedy 2015, "Batch Normalization", algorithm 1.

    Args:
        num_features: the channels; x is [batch, channels, ...] with any number of further axes.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch normalisation takes [batch, channels, ...], not {input.dim()} axes")
