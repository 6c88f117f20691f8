"""Filters that come from elsewhere: predicted from an embedding, or taken from a bank by class."""

import math

import torch
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import CONVOLVE, Padding, filter_sizes, fixed_padding, surround
from multicnn.blocks.windows import convolve_each


class HyperConvolution(nn.Module):
    """A convolution whose kernel a second, smaller network predicts from an embedding.

    Several layers, or several tasks, can share it and differ only in their embeddings. Ha et al. 2016, "HyperNetworks",
    section 3.1: two linear layers, the second shared by all input channels. Predicted kernels have He et al.'s variance
    where the embedding's numbers have variance 1.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent.
        embedding: how many numbers an embedding has.
        hidden: how many numbers stand for one input channel's filters, between the two linear layers.
        dims, stride, padding, dilation: as in `Convolution`.

    Raises:
        ValueError: no numbers in an embedding or between the layers, or sizes that make no filter.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        embedding: int,
        *,
        hidden: int = 64,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
    ) -> None:
        super().__init__()
        if min(embedding, hidden) < 1:
            raise ValueError(f"a kernel is predicted from 1 number or more, not from {embedding} and {hidden}")
        self.kernel, self.stride, self.dilation = filter_sizes(
            channels_in, channels_out, kernel, dims, stride, dilation
        )
        self.padding = fixed_padding(padding, self.kernel, self.stride, self.dilation)
        self.channels_in, self.channels_out = channels_in, channels_out
        points = math.prod(self.kernel)
        self.inner = nn.Linear(embedding, channels_in * hidden)
        self.outer = nn.Linear(hidden, channels_out * points)
        nn.init.normal_(self.inner.weight, std=math.sqrt(1 / embedding))
        nn.init.normal_(self.outer.weight, std=math.sqrt(2 / (hidden * channels_in * points)))
        nn.init.zeros_(self.inner.bias)
        nn.init.zeros_(self.outer.bias)

    def kernels(self, embedding: Tensor) -> Tensor:
        """Embeddings [batch, embedding] to kernels [batch, channels_out, channels_in, ...]."""
        by_channel = self.outer(self.inner(embedding).unflatten(1, (self.channels_in, -1)))
        return by_channel.unflatten(2, (self.channels_out, *self.kernel)).transpose(1, 2)  # type: ignore[no-any-return]

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: [batch, channels_in, ...].
            embedding: one for all examples, [embedding], or one for each, [batch, embedding].

        Returns:
            [batch, channels_out, ...].
        """
        x = surround(x, self.padding, self.kernel, self.stride, self.dilation)
        if embedding.dim() > 1:
            return convolve_each(x, self.kernels(embedding), self.stride, self.dilation)
        (weight,) = self.kernels(embedding[None])
        return CONVOLVE[len(self.kernel)](x, weight, None, self.stride, 0, self.dilation)


class StyleBank(nn.Module):
    """A bank of filters for each class, of which each example uses its own class's.

    Everything around it is shared, so what is learned here is what sets a class (there: a painter's style) apart.
    Chen et al. 2017, "StyleBank: An Explicit Representation for Neural Image Style Transfer", section 3.1.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent.
        classes: how many banks there are.
        dims, stride, padding, dilation: as in `Convolution`.
        bias: whether each filter has a threshold.

    Raises:
        ValueError: no classes, or sizes that make no filter.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        classes: int,
        *,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"a style bank has at least one class, not {classes}")
        self.kernel, self.stride, self.dilation = filter_sizes(
            channels_in, channels_out, kernel, dims, stride, dilation
        )
        self.padding = fixed_padding(padding, self.kernel, self.stride, self.dilation)
        self.weight = nn.Parameter(torch.empty(classes, channels_out, channels_in, *self.kernel))
        self.bias = nn.Parameter(torch.zeros(classes, channels_out)) if bias else None
        nn.init.normal_(self.weight, std=math.sqrt(2 / self.weight[0, 0].numel()))

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: [batch, channels_in, ...].
            classes: the number of each example's class, [batch].

        Returns:
            [batch, channels_out, ...].
        """
        x = surround(x, self.padding, self.kernel, self.stride, self.dilation)
        bias = None if self.bias is None else self.bias[classes]
        return convolve_each(x, self.weight[classes], self.stride, self.dilation, bias)

    def extra_repr(self) -> str:
        classes, channels_out, channels_in = self.weight.shape[:3]
        return f"{channels_in}, {channels_out}, kernel={self.kernel}, classes={classes}"


class StaticHyperConvolution(HyperConvolution):
    """A convolution whose kernel is predicted from an embedding of its own, which is learned like a weight.

    The embedding says which layer this is, the small network how kernels look.
    Ha et al. 2016, "HyperNetworks", section 3.1 (static hypernetwork).

    Args:
        channels_in, channels_out, kernel, hidden, dims, stride, padding, dilation: as in `HyperConvolution`.
        embedding: how many numbers the embedding has.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        embedding: int = 64,
        *,
        hidden: int = 64,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
    ) -> None:
        super().__init__(
            channels_in,
            channels_out,
            kernel,
            embedding,
            hidden=hidden,
            dims=dims,
            stride=stride,
            padding=padding,
            dilation=dilation,
        )
        self.embedding = nn.Parameter(torch.randn(embedding))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """[batch, channels_in, ...] to [batch, channels_out, ...]."""
        return super().forward(x, self.embedding)
