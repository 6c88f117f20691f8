"""TextCNN for prediction: vectors and convolutions folded into tables, so that a text costs look-ups and additions."""

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.text.architectures.embedding import PADDING

if TYPE_CHECKING:
    from multicnn.text.architectures.textcnn import TextCNN

LARGEST = 2**15 - 1  # of int16


class FoldedTextCNN(nn.Module):
    """A trained TextCNN with 1-max pooling, its multiplications done beforehand.

    A convolution over word vectors is a sum over the window's words, and each summand depends on one word alone: on its
    vector and on the filter's weights at its place in the window. With the vectors fixed these products are constants.
    There is a table for each place, [vocabulary, filters]; a window's answer is the sum of one row of each.

    The numbers are whole, 16 bits long, in units of which each filter has its own: as small as they can be without any
    sum being too large. So tables are small, and every engine gives the same sums, for they are exact.

    Args:
        network: trained; it stays as it is.
    """

    scale: Tensor

    def __init__(self, network: "TextCNN") -> None:
        super().__init__()
        with torch.no_grad():
            tables, scale = whole_numbers(products(network))
        self.tables = nn.ParameterList(nn.Parameter(table, requires_grad=False) for table in tables)
        self.register_buffer("scale", scale)
        self.head = copy.deepcopy(network.head)

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers, int32 [batch, tokens], padded behind with 0, to logits [batch, classes]."""
        words = ids.shape[1]
        ids = functional.pad(ids, (0, len(self.tables) - 1), value=PADDING)
        summands = [
            functional.embedding(ids[:, place : place + words], table).float()
            for place, table in enumerate(self.tables)
        ]
        logits: Tensor = self.head(sum(summands[1:], start=summands[0]).amax(1).relu() * self.scale)
        return logits


def products(network: "TextCNN") -> list[Tensor]:
    """What each word adds to each filter's answer, a table for each place in a window.

    Args:
        network: trained.

    Returns:
        For place 0, 1, ...: [vocabulary, filters], zero where a filter's window does not reach so far; the bias is in
        the first.
    """
    vectors = network.features.embedding(torch.arange(network.features.embedding.words)[None])[0].T
    filters = network.features.convolutions
    weights = [
        functional.pad(convolution.get_parameter("weight"), (0, max(filters.windows) - window))
        for window, convolution in zip(filters.windows, filters, strict=True)
    ]
    tables = [vectors @ weight.T for weight in torch.cat(weights).unbind(2)]
    tables[0] += torch.cat([convolution.get_parameter("bias") for convolution in filters])
    return tables


def whole_numbers(tables: list[Tensor]) -> tuple[list[Tensor], Tensor]:
    """Tables as int16, in units of their own for each filter.

    What is negative is rectified later. So a window that begins in padding need only be zero or less, and it is by the
    first table's row of the padding.

    Args:
        tables: [vocabulary, filters] for each place; the padding's rows of all but the first are zero.

    Returns:
        The same in units, and what a unit is, float32 [filters].
    """
    highest = torch.stack([table.abs().amax(0) for table in tables])
    behind = highest[1:].sum(0)
    # No sum is larger than `highest`, or less than what is behind and the row that makes up for it.
    room = torch.maximum(highest.sum(0), 2 * behind).clamp(min=torch.finfo(torch.float32).tiny * LARGEST)
    scale = room / (LARGEST - len(tables))  # each number may be rounded up by half a unit
    whole = [(table / scale).round().to(torch.int16) for table in tables]
    whole[0][PADDING] = -sum((table.abs().amax(0) for table in whole[1:]), start=torch.zeros_like(whole[0][PADDING]))
    return whole, scale


def table_bytes(network: "TextCNN") -> int:
    """How large all tables are together."""
    convolutions = network.features.convolutions
    return 2 * network.features.embedding.words * convolutions.width * max(convolutions.windows)
