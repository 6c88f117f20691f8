"""VDCNN: small convolutions over characters, many of them on top of each other."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.normalisation_masked import MaskedBatchNorm
from multicnn.blocks.pooling import KMaxPool
from multicnn.blocks.pooling_sequence import SequenceMaxPool
from multicnn.errors import did_you_mean
from multicnn.text.architectures.embedding import PADDING, WordVectors
from multicnn.text.architectures.text_backbone import TextBackbone

WIDTHS = (64, 128, 256, 512)
# Blocks of each width, by the number of convolutions (table 2).
DEPTHS = {9: (1, 1, 1, 1), 17: (2, 2, 2, 2), 29: (5, 5, 2, 2), 49: (8, 8, 5, 3)}
DOWNSAMPLING = ("max", "convolution")


class VDCNN(TextBackbone):
    """The very deep network over characters, for texts of any length; the paper's have 1024 characters.

    Conneau et al. 2016, "Very Deep Convolutional Networks for Text Classification", section 3. The idea: as in VGG, a
    deep stack of convolutions that see three characters each learns words and phrases, and halves the text whenever it
    doubles its channels. Padding counts nowhere, so a short text costs what its length costs.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown character (1) among them.
        depth: how many convolutions there are: 9, 17, 29 or 49.
        embedding: length of a character's vector.
        shortcuts: whether there is a way around each block, as in a residual network.
        downsampling: how a text is halved: `max` by a pooling of width 3, `convolution` by a stride.
        k: how many of each channel's answers are kept for the classifier.
        hidden: the neurons of each of its two hidden layers.
    """

    own_size: ClassVar[tuple[int, ...]] = (1024,)
    tokenizer: ClassVar[str] = "char"
    word_vectors: ClassVar[bool] = False
    own_vocabulary: ClassVar[int | None] = 69
    features: "VDCNNFeatures"

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        *,
        depth: int = 9,
        embedding: int = 16,
        shortcuts: bool = False,
        downsampling: str = "max",
        k: int = 8,
        hidden: int = 2048,
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"the depth is {', '.join(map(str, DEPTHS))}, not {depth}")
        if downsampling not in DOWNSAMPLING:
            near = did_you_mean(downsampling, DOWNSAMPLING)
            raise ValueError(f"downsampling is {' or '.join(DOWNSAMPLING)}, not {downsampling}{near}")
        characters = WordVectors(vocabulary_size, embedding)
        self.features = VDCNNFeatures(characters, DEPTHS[depth], shortcuts, downsampling, k)
        self.head = nn.Sequential(
            nn.Linear(WIDTHS[-1] * k, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, classes),
        )


class VDCNNFeatures(nn.Module):
    """Vectors of characters, blocks, k-max pooling: ids to one vector per text. The other arguments are VDCNN's.

    Each block's answers are rectified by its successor and the last one's behind the pooling, which gives the same
    values, and k-max pooling meets no ties of zeros, which engines order differently.
    """

    def __init__(
        self, embedding: WordVectors, blocks: Sequence[int], shortcuts: bool, downsampling: str, k: int
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.first = Convolution(embedding.channels, WIDTHS[0], 3, padding=1, dims=1)
        layers, channels = [], WIDTHS[0]
        for width, count in zip(WIDTHS, blocks, strict=True):
            for _ in range(count):
                halved = downsampling if width != channels else None
                layers.append(CharacterBlock(channels, width, halved, shortcuts))
                channels = width
        self.blocks = nn.ModuleList(layers)
        self.pool = KMaxPool(k)

    def forward(self, ids: Tensor) -> Tensor:
        """int32 or int64 [batch, characters], padded behind with 0, to [batch, 512 k]."""
        mask = ids != PADDING
        x = self.first(self.embedding(ids))
        for number, block in enumerate(self.blocks):
            x, mask = block(_hidden(x.relu() if number else x, mask), mask)
        return self.pool(x, mask).relu().flatten(1)  # type: ignore[no-any-return]


class CharacterBlock(nn.Module):
    """Two convolutions with batch normalisation, figure 2; what comes out is not rectified yet.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        halved: how the text is halved first, `max` or `convolution`; None where it is not.
        shortcut: whether there is a way around.
    """

    def __init__(self, channels_in: int, channels_out: int, halved: str | None, shortcut: bool) -> None:
        super().__init__()
        stride = 2 if halved == "convolution" else 1
        self.stride = stride
        self.pool = SequenceMaxPool(3, 2) if halved == "max" else None
        self.conv1 = Convolution(channels_in, channels_out, 3, stride=stride, padding=1, bias=False, dims=1)
        self.norm1 = MaskedBatchNorm(channels_out)
        self.conv2 = Convolution(channels_out, channels_out, 3, padding=1, bias=False, dims=1)
        self.norm2 = MaskedBatchNorm(channels_out)
        self.shortcut = _shortcut(channels_in, channels_out, stride) if shortcut else None

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One block.

        Args:
            x: [batch, channels_in, time], zero where it is padding.
            mask: True where x is real, [batch, time]; padding lies behind the real steps.

        Returns:
            [batch, channels_out, time], or ceil(time / 2) where it is halved, and where that is real, [batch, ...].
        """
        if self.pool is not None:
            x, mask = self.pool(x, mask)
        mask = mask[:, :: self.stride]
        y = _hidden(self.norm1(self.conv1(x), mask).relu(), mask)
        y = self.norm2(self.conv2(y), mask)
        return y if self.shortcut is None else y + self.shortcut(x), mask


def _shortcut(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """The way around a block: the input itself, or its projection where the channels change."""
    same = channels_in == channels_out and stride == 1
    return nn.Identity() if same else Convolution(channels_in, channels_out, 1, stride=stride, dims=1)


def _hidden(x: Tensor, mask: Tensor) -> Tensor:
    """Zeros where it is padding, as a convolution sees them behind the end."""
    return x.masked_fill(~mask[:, None], 0.0)
