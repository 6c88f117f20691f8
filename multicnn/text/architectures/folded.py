"""TextCNN for prediction: vectors and convolutions folded into tables, so that a text costs look-ups and additions."""

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.text.architectures.embedding import PADDING

if TYPE_CHECKING:
    from multicnn.text.architectures.textcnn import TextCNN


class FoldedTextCNN(nn.Module):
    """A trained TextCNN with 1-max pooling, its multiplications done beforehand.

    A convolution over word vectors is a sum over the window's words, and each summand depends on one word alone: on its
    vector and on the filter's weights at its place in the window. With the vectors fixed these products are constants.
    There is a table for each place, [vocabulary, filters whose window reaches so far]; a window's answer is the sum of
    one row of each.

    The bias lies in the first place's table. There the row of the padding is minus infinity, so that no window that
    begins in padding can win, and no mask is needed; everywhere else it is zero, as behind the end of a text.

    Args:
        network: trained; it stays as it is.
        half: tables in float16, half as large; sums are float32 all the same.
    """

    def __init__(self, network: "TextCNN", *, half: bool = False) -> None:
        super().__init__()
        convolutions = network.features.convolutions
        self.windows = convolutions.windows
        self.filters = convolutions.width // len(self.windows)
        # The shortest window first: when its sums are complete, its columns are the first ones.
        self.order = sorted(range(len(self.windows)), key=self.windows.__getitem__)
        with torch.no_grad():
            tables = products(network)
        self.tables = nn.ParameterList(
            nn.Parameter(table.half() if half else table, requires_grad=False) for table in tables
        )
        self.head = copy.deepcopy(network.head)

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers, int32 [batch, tokens], padded behind with 0, to logits [batch, classes]."""
        words = ids.shape[1]
        ids = functional.pad(ids, (0, len(self.tables) - 1), value=PADDING)
        pooled: dict[int, Tensor] = {}
        answers = functional.embedding(ids[:, :words], self.tables[0]).float()
        for place, table in enumerate(self.tables):
            if place:
                answers = answers + functional.embedding(ids[:, place : place + words], table).float()
            for number in self.order:
                if self.windows[number] == place + 1:
                    pooled[number] = answers[..., : self.filters].amax(1)
                    answers = answers[..., self.filters :]
        logits: Tensor = self.head(torch.cat([pooled[number] for number in range(len(self.windows))], dim=1).relu())
        return logits


def products(network: "TextCNN") -> list[Tensor]:
    """What each word adds to each filter's answer, a table for each place in a window.

    Args:
        network: trained.

    Returns:
        For place 0, 1, ...: [vocabulary, filters of the windows longer than this], the shortest window's first.
    """
    vectors = network.features.embedding(torch.arange(network.features.embedding.words)[None])[0].T
    filters = network.features.convolutions
    shortest_first = sorted(zip(filters.windows, filters, strict=True), key=lambda pair: pair[0])
    weights = [convolution.get_parameter("weight") for _, convolution in shortest_first]
    tables = []
    for place in range(max(filters.windows)):
        reaching = [weight[:, :, place] for weight in weights if weight.shape[2] > place]
        tables.append(vectors @ torch.cat(reaching).T)
    tables[0] += torch.cat([convolution.get_parameter("bias") for _, convolution in shortest_first])
    tables[0][PADDING] = -torch.inf
    return tables


def table_bytes(network: "TextCNN") -> int:
    """How large all tables are together in float32."""
    convolutions = network.features.convolutions
    filters = convolutions.width // len(convolutions.windows)
    return 4 * network.features.embedding.words * filters * sum(convolutions.windows)
