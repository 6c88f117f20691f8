"""TextCNN for prediction: vectors and convolutions folded into tables, so that a text costs look-ups and additions."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from multicnn.text.architectures.embedding import PADDING, WordVectors
from multicnn.text.architectures.phrases import PhraseFilters

LARGEST = 2**15 - 1  # of int16


class FoldedTextCNN(nn.Module):
    """A trained TextCNN with 1-max pooling, its multiplications done beforehand.

    A convolution over word vectors is a sum over the window's words, and each summand depends on one word alone: on its
    vector and on the filter's weights at its place in the window. With the vectors fixed these products are constants.
    They lie in one table, [vocabulary * places, filters], all places of a word side by side; a window's answer is the
    sum of one row for each place.

    The numbers are whole, 16 bits long, in units of which each filter has its own: as small as they can be without any
    sum being too large. So the table is small, and every engine gives the same sums, for they are exact.

    Args:
        vectors, filters: trained; they stay as they are.
        head: maps each filter's strongest answer to logits; copied.
    """

    table: Tensor
    scale: Tensor

    def __init__(self, vectors: WordVectors, filters: PhraseFilters, head: nn.Module) -> None:
        super().__init__()
        with torch.no_grad():
            table, scale = whole_numbers(products(vectors, filters))
        self.places = table.shape[1]
        self.register_buffer("table", table.flatten(0, 1))
        self.register_buffer("scale", scale)
        self.head = copy.deepcopy(head)

    def forward(self, ids: Tensor) -> Tensor:
        """Token numbers, int32 [batch, tokens], padded behind with 0, to logits [batch, classes]."""
        words = ids.shape[1]
        first_rows = functional.pad(ids.long() * self.places, (self.places - 1, 0), value=PADDING)
        summands = [
            functional.embedding(first_rows[:, place : place + words] + place, self.table).float()
            for place in range(self.places)
        ]
        logits: Tensor = self.head(sum(summands[1:], start=summands[0]).amax(1).relu() * self.scale)
        return logits


def products(vectors: WordVectors, filters: PhraseFilters) -> Tensor:
    """What each word adds to each filter's answer at each place in a window.

    Returns:
        [vocabulary, places, filters], zero where a filter's window has not begun; the last place has the bias.
    """
    of_words = vectors(torch.arange(vectors.words)[None])[0].T
    weights = [
        functional.pad(convolution.get_parameter("weight"), (max(filters.windows) - window, 0))
        for window, convolution in zip(filters.windows, filters, strict=True)
    ]
    table = torch.einsum("wc,fcp->wpf", of_words, torch.cat(weights))
    table[:, -1] += torch.cat([convolution.get_parameter("bias") for convolution in filters])
    return table


def whole_numbers(table: Tensor) -> tuple[Tensor, Tensor]:
    """A table as int16, in units of their own for each filter.

    What is negative is rectified later. So a window that ends in padding need only be zero or less, and it is by the
    padding's row for the last place.

    Args:
        table: [vocabulary, places, filters]; the padding's rows for all places but the last are zero.

    Returns:
        The same in units, and what a unit is, float32 [filters].
    """
    highest = table.abs().amax(0)
    # No sum is larger than all of these, or less than those before the last place and the row that makes up for them.
    room = torch.maximum(highest.sum(0), 2 * highest[:-1].sum(0)).clamp(min=torch.finfo(torch.float32).tiny * LARGEST)
    scale = room / (LARGEST - table.shape[1])  # each number may be rounded up by half a unit
    whole = (table / scale).round_().to(torch.int16)
    whole[PADDING, -1] = -whole[:, :-1].abs().amax(0).sum(0)
    return whole, scale


def table_bytes(vectors: WordVectors, filters: PhraseFilters) -> int:
    """How large the table is."""
    return 2 * vectors.words * filters.width * max(filters.windows)
