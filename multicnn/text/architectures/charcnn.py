"""CharCNN: a deep network over single characters, without words."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.pooling import MaxPool
from multicnn.errors import did_you_mean
from multicnn.text.architectures.embedding import PADDING
from multicnn.text.architectures.text_backbone import TextBackbone

# Filters, units of a fully connected layer, and the deviation of the weights at the start.
SIZES = {"small": (256, 1024, 0.05), "large": (1024, 2048, 0.02)}
# Kernel, and the width of the pooling behind it, of each convolution.
LAYERS = ((7, 3), (7, 3), (3, 1), (3, 1), (3, 1), (3, 3))
FIRST_CHARACTER = 2


class CharCNN(TextBackbone):
    """The character-level network, for texts of 1014 characters; longer ones are cut, shorter ones padded.

    Zhang, Zhao and LeCun 2015, "Character-level Convolutional Networks for Text Classification", tables 1 and 2. The
    idea: a text is a signal of single characters, and what words are is learned along with the rest. The alphabet is
    the vocabulary, so any script works; the paper's has 70 English characters. In a script with thousands of them,
    text.vocabulary.max_size keeps the first layer small.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown character (1) among them.
        length: of every text, 123 at least.
        size: `small` with 256 filters, or `large` with 1024.
        dropout: the share of a fully connected layer's units that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (1014,)
    tokenizer: ClassVar[str] = "char"
    word_vectors: ClassVar[bool] = False
    fixed_length: ClassVar[bool] = True
    own_vocabulary: ClassVar[int | None] = FIRST_CHARACTER + 70
    features: nn.Sequential

    def __init__(
        self, classes: int, vocabulary_size: int, length: int = 1014, *, size: str = "small", dropout: float = 0.5
    ) -> None:
        super().__init__()
        if size not in SIZES:
            raise ValueError(f"size is {' or '.join(SIZES)}, not {size}{did_you_mean(size, SIZES)}")
        filters, hidden, deviation = SIZES[size]
        alphabet = OneHot(vocabulary_size)
        layers: list[nn.Module] = [alphabet]
        channels, left = alphabet.channels, length
        for kernel, width in LAYERS:
            layers += [Convolution(channels, filters, kernel, dims=1), nn.ReLU(inplace=True)]
            layers += [MaxPool(width, dims=1)] if width > 1 else []
            channels, left = filters, (left - kernel + 1) // width
        if left < 1:
            raise ValueError(f"texts of {length} characters are too short; the least are 123")
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(filters * left, hidden),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        for module in self.modules():
            if isinstance(module, Convolution | nn.Linear):
                nn.init.normal_(module.weight, std=deviation)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]


class OneHot(nn.Module):
    """A channel for each character, 1 where it stands, and the text from its end: section 2.2.

    Read backwards, the last characters always meet the same weights of the fully connected layers. Unknown characters
    and padding are all zeros.

    Args:
        vocabulary_size: how many ids there are.
    """

    alphabet: Tensor

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.channels = vocabulary_size - FIRST_CHARACTER
        self.register_buffer("alphabet", torch.arange(FIRST_CHARACTER, vocabulary_size)[:, None], persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """int32 or int64 [batch, characters], padded behind with 0, to [batch, channels, characters]."""
        last = (ids != PADDING).sum(1, keepdim=True) - 1
        backwards = (last - torch.arange(ids.shape[1], device=ids.device)) % ids.shape[1]  # below 0 lies the padding
        return (ids.gather(1, backwards)[:, None] == self.alphabet).to(torch.get_default_dtype())

    def extra_repr(self) -> str:
        return f"channels={self.channels}"
