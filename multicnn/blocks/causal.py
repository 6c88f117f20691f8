"""The causal convolution: no answer knows the future."""

from torch import Tensor
from torch.nn import functional

from multicnn.blocks.convolution import Convolution


class CausalConvolution(Convolution):
    """A convolution over time whose answer at t depends on the input up to t alone.

    Zeros before the beginning keep the length. Stacked with dilations 1, 2, 4, ... it reaches back twice as far with
    each layer. Van den Oord et al. 2016, "WaveNet: A Generative Model for Raw Audio", section 2.1.

    Args:
        channels_in: the input's channels.
        channels_out: how many filters there are.
        kernel: how many steps a filter sees, the last of them the present one.
        stride, dilation, groups, bias: as in `Convolution`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            channels_in, channels_out, kernel, dims=1, stride=stride, dilation=dilation, groups=groups, bias=bias
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, time] to [batch, channels_out, ceil(time / stride)]."""
        past = self.dilation[0] * (self.kernel[0] - 1)
        return super().forward(functional.pad(x, (past, 0)))
