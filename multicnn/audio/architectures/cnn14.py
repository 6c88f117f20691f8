"""CNN14: VGG for spectrograms, and what AudioSet taught it."""

from collections import OrderedDict
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm

WIDTHS = (64, 128, 256, 512, 1024, 2048)


class ConvBlock(nn.Module):
    """Two 3x3 convolutions, each with batch normalisation and a rectifier.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = Convolution(channels_in, channels_out, 3, padding=1, bias=False)
        self.bn1 = BatchNorm(channels_out)
        self.conv2 = Convolution(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(channels_out)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, frames, mels] to [batch, channels_out, frames, mels]."""
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)))  # type: ignore[no-any-return]


class HalvingPool(nn.Module):
    """Averages over 2 x 2; an axis of one place stays as it is, so that short sounds go through too."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, ...] to [batch, channels, ...], each axis max(1, W // 2)."""
        return functional.avg_pool2d(x, [min(2, extent) for extent in x.shape[2:]])


class BandNorm(BatchNorm):
    """Batch normalisation of each mel band by itself.

    Args:
        num_features: the bands.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, mels, frames] to [batch, channels, frames, mels], as the published filters lie."""
        return super().forward(x.transpose(1, 2)).permute(0, 2, 3, 1)


class TimePool(nn.Module):
    """The mean over the bands, then the maximum and the mean over time, added: the loudest moment and all of them."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames, mels] to [batch, channels]."""
        moments = x.mean(dim=3)
        return moments.amax(dim=2) + moments.mean(dim=2)


class Cnn14(Backbone):
    """CNN14, for spectrograms of 64 bands and 10 s.

    Kong et al. 2020, "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition", table 1. The
    idea: trained on two million sounds of 527 kinds, a plain deep network is a start for every other task with sounds.
    80,753,615 parameters with 527 classes and 64 bands. Names as in the published Cnn14_mAP=0.431.pth, which fits; its
    spectrogram was of 32 kHz, n_fft and window 1024, hop 320, 50 to 14,000 Hz.

    Differs from 2020: an axis that has come down to one place is not halved again, where the paper's network would
    have nothing left, that is for fewer than 32 frames or bands. The last layer gives logits of exclusive classes.

    Args:
        classes: how many there are.
        channels: of the input.
        size: the spectrogram's bands and frames.
        block_dropout: the share that is dropped in training behind each block.
        dropout: the share of the pooled features, and of the neurons before the last layer.
    """

    own_size: ClassVar[tuple[int, ...]] = (64, 1001)
    own_classes: ClassVar[int] = 527  # AudioSet

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        size: tuple[int, ...] = (64, 1001),
        *,
        block_dropout: float = 0.2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.bn0 = BandNorm(size[0])
        for number, width in enumerate(WIDTHS, start=1):
            self.add_module(f"conv_block{number}", ConvBlock(channels, width))
            channels = width
        self.pool = HalvingPool()
        self.block_dropout = Dropout(block_dropout)
        self.time_pool = TimePool()
        self.dropout = Dropout(dropout)
        self.fc1 = nn.Linear(WIDTHS[-1], WIDTHS[-1])
        self.relu = nn.ReLU()
        self.fc_audioset = nn.Linear(WIDTHS[-1], classes)

    @property
    def features(self) -> nn.Module:
        """[batch, channels, mels, frames] to maps [batch, 2048, frames / 32, mels / 32]."""
        layers: list[nn.Module] = [self.bn0]
        for number in range(1, len(WIDTHS) + 1):
            layers.append(self.get_submodule(f"conv_block{number}"))
            if number < len(WIDTHS):
                layers.append(self.pool)
            layers.append(self.block_dropout)
        return nn.Sequential(*layers)

    @property
    def head(self) -> nn.Module:
        """Maps to logits."""
        parts = OrderedDict(
            pool=self.time_pool,
            drop1=self.dropout,
            fc1=self.fc1,
            relu=self.relu,
            drop2=self.dropout,
            output=self.fc_audioset,
        )
        return nn.Sequential(parts)

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.fc_audioset = nn.Linear(WIDTHS[-1], classes)
