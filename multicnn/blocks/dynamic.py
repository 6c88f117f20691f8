"""Filters that depend on the input: chosen for each example, or predicted for each place."""

import math

from torch import Tensor, nn

from multicnn.blocks.arithmetic import Size
from multicnn.blocks.convolution import Convolution, Padding, filter_sizes, surround
from multicnn.blocks.pooling import GlobalAveragePool
from multicnn.blocks.windows import windows


class DynamicConvolution(nn.Module):
    """Mixes K kernels into one for each example, by attention: more to choose from in a network that is no deeper.

    Chen et al. 2019, "Dynamic Convolution: Attention over Convolution Kernels", equation 1 and section 3. Because a
    convolution is linear, the mixed kernel's answer is the mixture of the K kernels' answers, which is how it is
    computed: it trains, and exports, as one convolution with K times as many filters. That costs K times the
    multiply-adds, in use too, where the paper mixes the kernels first and convolves once.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        kernel: the filters' extent.
        kernels: K, how many kernels are mixed.
        temperature: divides the scores before the softmax. A high one lets all kernels learn: the paper begins with 30
            and goes down to 1 in the first ten epochs; it is a plain attribute, to be set between two epochs.
        reduction: how many times narrower the middle of the attention is than the input.
        dims, stride, padding, dilation, groups, bias: as in `Convolution`.

    Raises:
        ValueError: no kernels, a temperature that is not above 0, or a reduction below 1.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Size,
        *,
        kernels: int = 4,
        temperature: float = 30.0,
        reduction: int = 4,
        dims: int = 2,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if kernels < 1:
            raise ValueError(f"a dynamic convolution mixes at least one kernel, not {kernels}")
        if temperature <= 0:
            raise ValueError(f"a temperature is above 0, not {temperature}")
        if reduction < 1:
            raise ValueError(f"channels can be reduced 1 times or more, not {reduction}")
        self.kernels = kernels
        self.temperature = temperature
        self.conv = Convolution(
            channels_in,
            channels_out * kernels,
            kernel,
            dims=dims,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.means = GlobalAveragePool()
        middle = max(channels_in // reduction, 1)
        layers = nn.Linear(channels_in, middle), nn.Linear(middle, kernels)
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.score = nn.Sequential(layers[0], nn.ReLU(), layers[1])

    def attention(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much of each kernel goes into the mixture: [batch, channels_in, ...] to [batch, K], sums of 1."""
        scores: Tensor = self.score(self.means(x, mask))
        return (scores / self.temperature).softmax(1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolves.

        Args:
            x: [batch, channels_in, ...].
            mask: True where x is real and not padding, [batch, ...]; only such places count in the attention.

        Returns:
            [batch, channels_out, ...].
        """
        answers = self.conv(x).unflatten(1, (-1, self.kernels))  # a filter's K versions side by side, as groups need
        shares = self.attention(x, mask).reshape(-1, 1, self.kernels, *(1,) * (x.dim() - 2))
        return (answers * shares).sum(2)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"kernels={self.kernels}, temperature={self.temperature}"


class DynamicLocalFilter(nn.Module):
    """Predicts a filter for each place and applies it there: it can move, sharpen or blur each part in its own way.

    De Brabandere et al. 2016, "Dynamic Filter Networks", section 3.1.2. Stride 1; zeros around the input keep its size.
    An account of the layers counts the generator's multiply-adds; the filtering takes one for each point of a filter,
    at each place of each channel, which is next to nothing beside them.

    Args:
        channels: of the input; each channel is filtered by itself.
        kernel: the predicted filters' extent.
        condition: the channels of what the filters are predicted from; the input itself where it is left out.
        shared: whether all channels of a place have one filter in common.
        normalised: whether a filter's weights are positive and sum to 1, as where it moves pixels (section 4.2).
        generator: predicts the filters, [batch, condition, ...] to [batch, filters * points, ...] of the same size,
            with `channels` filters, or one where they share it; a convolution of the same extent by default.
        dims: 1, 2 or 3.

    Raises:
        ValueError: sizes that make no filter.
    """

    def __init__(
        self,
        channels: int,
        kernel: Size,
        *,
        condition: int | None = None,
        shared: bool = False,
        normalised: bool = False,
        generator: nn.Module | None = None,
        dims: int = 2,
    ) -> None:
        super().__init__()
        self.kernel, *_ = filter_sizes(channels, channels, kernel, dims)
        self.filters = 1 if shared else channels
        self.normalised = normalised
        points = self.filters * math.prod(self.kernel)
        seen = channels if condition is None else condition
        self.generator = generator or Convolution(seen, points, self.kernel, padding="same", dims=dims)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Filters.

        Args:
            x: [batch, channels, ...].
            condition: what the filters are predicted from, [batch, condition, ...] of the same size; x by default.

        Returns:
            [batch, channels, ...], of the same size.
        """
        weights = self.generator(x if condition is None else condition).unflatten(1, (self.filters, -1))
        if self.normalised:
            weights = weights.softmax(2)
        ones = (1,) * len(self.kernel)
        patches = windows(surround(x, None, self.kernel, ones, ones), self.kernel, ones, ones)
        return (weights * patches).sum(2)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, normalised={self.normalised}"
