"""M3 to M34: deep networks that hear the waveform itself."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import GlobalAveragePool
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.blocks.residual import BasicBlock
from multicnn.blocks.unit import ConvolutionUnit

# By depth: the channels and the number of convolutions of each stage, of residual blocks at depth 34.
STAGES = {
    3: ((256, 1),),
    5: ((128, 1), (256, 1), (512, 1)),
    11: ((64, 2), (128, 2), (256, 3), (512, 2)),
    18: ((64, 4), (128, 4), (256, 4), (512, 4)),
    34: ((48, 3), (96, 4), (192, 6), (384, 3)),
}
RESIDUAL = 34
POOLINGS = 4


class Wave1d(Backbone):
    """Convolutions over the samples, for waveforms of 4 s at 8 kHz.

    Dai et al. 2016, "Very Deep Convolutional Neural Networks for Raw Waveforms", table 1, M3 to M34-res. The
    idea: filters of 80 samples learn their own filter bank from the waveform, and narrow filters do the rest, once
    strides and poolings of 4 have made the sequence short. 1,784,202 parameters with 10 classes at depth 11.

    Poolings round up, as the paper's 125 to 32 places. At depth 34 a shortcut is projected where the channels change
    (He et al. 2015, option B).

    Args:
        classes: how many there are.
        channels: of the input.
        size: the number of samples, in a tuple; any number will do.
        depth: the layers with weights: 3, 5, 11, 18 or 34.
        dropout: the share of the pooled features that is dropped in training; none in the paper.

    Raises:
        ValueError: another depth.
    """

    own_size: ClassVar[tuple[int, ...]] = (32_000,)
    own_classes: ClassVar[int] = 10  # UrbanSound8K
    features: nn.Sequential
    head: nn.Sequential

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        size: tuple[int, ...] = (32_000,),
        *,
        depth: int = 11,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if depth not in STAGES:
            raise ValueError(f"depth is {', '.join(map(str, STAGES))}, not {depth}")
        width = STAGES[depth][0][0]
        layers: OrderedDict[str, nn.Module] = OrderedDict(conv1=ConvolutionUnit(channels, width, 80, 4, dims=1))
        layers["pool1"] = CeilMaxPool(4, dims=1)
        for number, (wider, count) in enumerate(STAGES[depth], start=1):
            layers[f"stage{number}"] = _stage(width, wider, count, depth == RESIDUAL)
            if number < POOLINGS:
                layers[f"pool{number + 1}"] = CeilMaxPool(4, dims=1)
            width = wider
        self.width = width
        self.features = nn.Sequential(layers)
        self.head = nn.Sequential(
            OrderedDict(pool=GlobalAveragePool(), dropout=Dropout(dropout), output=nn.Linear(width, classes))
        )

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.head.output = nn.Linear(self.width, classes)


def _stage(channels_in: int, width: int, count: int, residual: bool) -> nn.Sequential:
    """The layers of one resolution."""
    every = [channels_in, *[width] * (count - 1)]
    if residual:
        return nn.Sequential(*(BasicBlock(channels, width, dims=1) for channels in every))
    return nn.Sequential(*(ConvolutionUnit(channels, width, dims=1) for channels in every))
