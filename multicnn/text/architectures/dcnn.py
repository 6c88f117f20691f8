"""DCNN: wide convolutions along each row of the word vectors, and pooling that grows with the sentence."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.folding import Folding
from multicnn.blocks.pooling_dynamic_k import DynamicKMaxPool
from multicnn.text.architectures.embedding import PADDING, WordVectors
from multicnn.text.architectures.text_backbone import TextBackbone


class DCNN(TextBackbone):
    """The dynamic convolutional network, for sentences of any length.

    Kalchbrenner et al. 2014, "A Convolutional Neural Network for Modelling Sentences", section 3, with the sizes that
    it has for movie reviews of two classes. The idea: each layer keeps the strongest answers in their order, more of
    them in a longer sentence, so that the layer above relates words that stand far apart.

    Args:
        classes: how many there are.
        vocabulary_size: how many ids there are, padding (0) and the unknown word (1) among them.
        vectors: how the word vectors are learned, as in `WordVectors`.
        embedding: length of a word's vector; each layer folds its rows in two.
        maps: how many feature maps each layer has.
        widths: how many words the filters of each layer see.
        k_top: how many answers of each row the last layer keeps.
        dropout: the share of these answers that is dropped in training.
    """

    own_size: ClassVar[tuple[int, ...]] = (56,)  # the longest sentence of the Stanford Sentiment Treebank
    features: "DCNNFeatures"

    def __init__(
        self,
        classes: int,
        vocabulary_size: int,
        vectors: str = "rand",
        *,
        embedding: int = 48,
        maps: Sequence[int] = (6, 14),
        widths: Sequence[int] = (7, 5),
        k_top: int = 4,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        words = WordVectors(vocabulary_size, embedding, vectors)
        self.features = DCNNFeatures(words, maps=maps, widths=widths, k_top=k_top)
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(self.features.width, classes))


class DCNNFeatures(nn.Module):
    """Word vectors and the layers above them: ids to one vector per text. The other arguments are DCNN's."""

    def __init__(self, embedding: WordVectors, *, maps: Sequence[int], widths: Sequence[int], k_top: int) -> None:
        super().__init__()
        if not maps or len(maps) != len(widths):
            raise ValueError(f"each layer has its maps and its width, not {len(maps)} maps and {len(widths)} widths")
        self.embedding = embedding
        rows, before = embedding.length, embedding.channels // embedding.length
        layers = []
        for number, (count, width) in enumerate(zip(maps, widths, strict=True), start=1):
            layers.append(RowLayer(rows, before, count, width, DynamicKMaxPool(number, len(maps), k_top)))
            rows, before = layers[-1].folding.folded, count
        self.layers = nn.ModuleList(layers)
        self.width = rows * before * k_top

    def forward(self, ids: Tensor) -> Tensor:
        """int32 or int64 [batch, tokens], padded behind with 0, to [batch, width]."""
        mask = sentence = ids != PADDING
        x = self.embedding(ids)
        for layer in self.layers:
            x, mask = layer(x, mask, sentence)
        return x.flatten(1)  # type: ignore[no-any-return]


class RowLayer(nn.Module):
    """A wide convolution along each row by itself, folding, dynamic k-max pooling, a bias and tanh, in this order.

    Args:
        rows: of the input; the output has half as many, rounded up.
        maps_in: feature maps of the input.
        maps_out: feature maps of the output.
        width: how many steps a filter sees.
        pool: what keeps the strongest.
    """

    def __init__(self, rows: int, maps_in: int, maps_out: int, width: int, pool: DynamicKMaxPool) -> None:
        super().__init__()
        self.convolution = Convolution(
            rows * maps_in, rows * maps_out, width, padding=width - 1, groups=rows, bias=False, dims=1
        )
        self.width = width
        self.folding = Folding(rows, maps_out)
        self.pool = pool
        self.bias = nn.Parameter(torch.zeros(self.folding.folded * maps_out))

    def forward(self, x: Tensor, mask: Tensor, sentence: Tensor) -> tuple[Tensor, Tensor]:
        """One layer.

        Args:
            x: [batch, rows * maps_in, time], zero where it is padding.
            mask: True where x is real, [batch, time]; padding lies behind the real steps.
            sentence: True where the sentence itself is, [batch, words].

        Returns:
            [batch, ceil(rows / 2) * maps_out, k], zero where it is padding, and where it is real, [batch, k].
        """
        wider = torch.cat([mask.new_ones(mask.shape[0], self.width - 1), mask], dim=1)  # real steps reach further now
        x, mask = self.pool(self.folding(self.convolution(x)), wider, sentence)
        return (x + self.bias[:, None]).tanh().masked_fill(~mask[:, None], 0.0), mask
