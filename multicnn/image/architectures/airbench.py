"""airbench's network: the one that learns CIFAR-10 in seconds."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.pooling import GlobalMaxPool, MaxPool
from multicnn.blocks.scaled_linear import ScaledLinear
from multicnn.blocks.whitening import Whitening

LARGE = 64  # pixels; a longer axis is quartered before anything else
HEAD_SCALE = 1 / 9


class DiracConvolution(Convolution):
    """A 3 x 3 convolution that starts by passing its input on.

    As many filters as there are input channels copy one of them each; the others are random. So a stack of them is
    the identity before it has learned anything: Jordan 2024, section 3.3.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1, bias=False)
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # PyTorch's own, for which the published rates are made
        nn.init.dirac_(self.weight.data[:channels_in])


class ShiftNorm(BatchNorm):
    """Batch normalisation that learns a shift and no scale, and whose running means are those of the last few batches.

    Args:
        channels: the input's channels.
        newest: what the newest batch counts for in the running means.
    """

    def __init__(self, channels: int, newest: float) -> None:
        super().__init__(channels, momentum=newest)
        self.weight.requires_grad_(False)


class Group(nn.Module):
    """A convolution that changes the channels and a pooling that halves the map; then convolutions that keep both.

    With three convolutions or more those behind the pooling are a residual block.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        depth: how many convolutions there are.
        newest: as in `ShiftNorm`.
    """

    def __init__(self, channels_in: int, channels_out: int, depth: int, newest: float) -> None:
        super().__init__()
        self.residual = depth > 2
        self.change = nn.Sequential(
            OrderedDict(
                conv=DiracConvolution(channels_in, channels_out),
                pool=MaxPool(2),
                norm=ShiftNorm(channels_out, newest),
                act=nn.GELU(),
            )
        )
        self.keep = nn.Sequential()
        for number in range(1, depth):
            if number > 1:
                self.keep.append(nn.GELU())
            self.keep.extend([DiracConvolution(channels_out, channels_out), ShiftNorm(channels_out, newest)])
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, in, height, width] to [batch, out, height / 2, width / 2]."""
        x = self.change(x)
        kept = self.keep(x)
        return self.act(x + kept if self.residual else kept)  # type: ignore[no-any-return]


class AirBench(Backbone):
    """airbench's network, for pictures of 32 x 32 and hardly any time.

    Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3 and appendix A. The idea: a first layer
    that is measured instead of learned, and convolutions that start as the identity, save the epochs in which other
    networks find out what a picture is. 1,972,792 parameters with 10 classes, of which 1,971,352 learn.

    airbench95 has widths of 128, 384 and 384; airbench96 has widths of 128, 384 and 512 and a depth of 3.

    Each of the three groups halves the picture. An axis of more than 64 pixels is quartered first, by a stride of 2 in
    the first layer and a pooling behind it.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the input's height and width, each at least 9.
        widths: the channels of each group.
        depth: convolutions in each group, 2 or more.
        newest: what the newest batch counts for in batch normalisation's running means; less for small batches.
    """

    own_size: ClassVar[tuple[int, ...]] = (32, 32)
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        size: tuple[int, int] = (32, 32),
        *,
        widths: Sequence[int] = (64, 256, 256),
        depth: int = 2,
        newest: float = 0.4,
    ) -> None:
        super().__init__()
        _check(size, widths, depth, newest)
        step = (2 if size[0] > LARGE else 1, 2 if size[1] > LARGE else 1)
        whiten = Whitening(channels, stride=step)
        self.features = nn.Sequential(
            OrderedDict[str, nn.Module](
                whiten=whiten, act=nn.GELU(), shrink=MaxPool(step) if max(step) > 1 else nn.Identity()
            )
        )
        width = len(whiten.weight)
        for number, wider in enumerate(widths, start=1):
            self.features.add_module(f"group{number}", Group(width, wider, depth, newest))
            width = wider
        self.width = width
        self.head = nn.Sequential(OrderedDict(pool=GlobalMaxPool(), linear=ScaledLinear(width, classes, HEAD_SCALE)))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head.linear = ScaledLinear(self.width, classes, HEAD_SCALE)

    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Sets the filters of the first layer."""
        whiten = self.features.whiten
        assert isinstance(whiten, Whitening)
        whiten.fit(batches)


def _check(size: tuple[int, int], widths: Sequence[int], depth: int, newest: float) -> None:
    """
    Raises:
        ValueError: values that make no network.
    """
    if min(size) < 9:
        raise ValueError(f"{size[0]} x {size[1]} is too small, it takes 9 x 9 or more; image.size=32 would do")
    if not isinstance(widths, Sequence) or len(widths) != 3 or not all(isinstance(width, int) for width in widths):
        raise ValueError(f"widths are the channels of three groups, such as [64, 256, 256], not {widths}")
    if depth < 2:
        raise ValueError(f"depth is the convolutions of a group, 2 or more, not {depth}")
    if not 0 < newest <= 1:
        raise ValueError(f"newest is a share above 0, up to 1, not {newest}")
