"""Normalisation: signals of one size, whatever the layers below do."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from multicnn.blocks.precision import widened


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


class GroupNorm(nn.Module):
    """Normalises bundles of channels to mean 0 and variance 1, in each example by itself; then scales each channel.

    It does not look at the batch, so it does the same in training and in use, and small batches do it no harm.
    Wu and He 2018, "Group Normalization", section 3.

    Args:
        groups: how many bundles the channels are cut into; 32 in the paper.
        channels: the input's channels.
        eps: added to the variance.
    """

    def __init__(self, groups: int, channels: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        if min(groups, channels) < 1 or channels % groups:
            raise ValueError(f"{groups} groups do not divide {channels} channels")
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same shape."""
        # not functional's, which refuses one value a group: it becomes the bias
        return torch.group_norm(x, self.groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.groups} groups, {len(self.weight)} channels"


class InstanceNorm(GroupNorm):
    """Normalises each channel of each example by itself: the contrast goes, the pattern stays.

    Ulyanov et al. 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization".

    Args:
        channels: the input's channels.
        eps: added to the variance.
    """

    def __init__(self, channels: int, *, eps: float = 1e-5) -> None:
        super().__init__(channels, channels, eps=eps)


class LayerNorm(GroupNorm):
    """Normalises all channels of an example together.

    Ba et al. 2016, "Layer Normalization", equation 3; over the maps as Wu and He 2018 draw it (figure 2), or at each
    place over its channels alone, as in transformers and Liu et al. 2022, "A ConvNet for the 2020s".

    Args:
        channels: the input's channels.
        each_place: whether every place has its own mean and variance.
        eps: added to the variance.
    """

    def __init__(self, channels: int, *, each_place: bool = False, eps: float = 1e-5) -> None:
        super().__init__(1, channels, eps=eps)
        self.each_place = each_place

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same shape."""
        if not self.each_place:
            return super().forward(x)
        places = x.movedim(1, -1)
        return functional.layer_norm(places, self.weight.shape, self.weight, self.bias, self.eps).movedim(-1, 1)


class LocalResponseNorm(nn.Module):
    """Divides each answer by the strength of the channels beside it, so that filters compete for large answers.

    b_i = a_i / (k + alpha * sum of a_j^2)^beta, with the `size` channels around i as j. Krizhevsky et al. 2012,
    "ImageNet Classification with Deep Convolutional Neural Networks", section 3.3. torch's own layer divides alpha by
    the size; this one, like the paper, does not.

    Args:
        size: n, how many channels compete, odd.
        alpha, beta, k: as above; the paper's by default.
    """

    def __init__(self, size: int = 5, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        if size < 1 or size % 2 == 0:
            raise ValueError(f"as many channels compete on either side, so their number is odd, not {size}")
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to the same shape."""
        reach = self.size // 2
        wide = widened(x)
        squares = functional.pad(wide.square().flatten(2), (0, 0, reach, reach))
        near = torch.stack([squares.narrow(1, i, x.shape[1]) for i in range(self.size)]).sum(0)
        return (wide / (self.k + self.alpha * near.reshape(x.shape)).pow(self.beta)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


# So few layers with weights train at any rate.
SHALLOW = 6


def stands_high_rates(network: nn.Module) -> bool:
    """Whether a network learns at a high rate: batch normalisation keeps it in bounds, or it is shallow, as LeNet is.

    Ioffe and Szegedy 2015, "Batch Normalization", section 3.3. AlexNet, VGG and transformers are neither.
    """
    depth = sum(parameter.ndim > 1 for parameter in network.parameters())
    return depth <= SHALLOW or any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules())
