"""Random changes to training texts that leave their class alone; each text draws its own."""

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING, UNKNOWN = 0, 1


class TextAugmentation(nn.Module):
    """Some words become others, some change places, some become unknown; in this order.

    Word dropout: Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text Classification",
    section 3.1; no single word decides, and the unknown word's vector is trained. Where rare words become unknown more
    often, it is trained in the places that unknown words take: Kiperwasser and Goldberg 2016, "Simple and Accurate
    Dependency Parsing Using Bidirectional LSTM Feature Representations", section 4. Synonyms and swapping: Wei and Zou
    2019, "EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks", section 2,
    with the nearest vectors in the place of a thesaurus.

    Args:
        word_dropout: the share of words that become unknown, 0 to below 1.
        swap: the share that change places with each other.
        synonym: the share that become one of their nearest words.
        nearest: the numbers of each number's nearest words, [numbers, k], for synonyms.
        rarity: the chance with which each number becomes unknown, where that is more, [numbers].
    """

    nearest: Tensor | None
    rarity: Tensor | None

    def __init__(
        self,
        word_dropout: float = 0.0,
        swap: float = 0.0,
        synonym: float = 0.0,
        nearest: Tensor | None = None,
        rarity: Tensor | None = None,
    ) -> None:
        super().__init__()
        for name, share in (("word dropout", word_dropout), ("swap", swap), ("synonym", synonym)):
            if not 0 <= share < 1:
                raise ValueError(f"{name} is a share from 0 to below 1, not {share}")
        if synonym and nearest is None:
            raise ValueError("synonyms need the words that are nearest to each")
        self.word_dropout, self.swap, self.synonym = word_dropout, swap, synonym
        self.register_buffer("nearest", nearest, persistent=False)
        self.register_buffer("rarity", rarity, persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Changes a batch; `x` itself is left as it was.

        Args:
            x: ids, int32 [batch, tokens]; padding stays padding.
            generator: where the chances come from.

        Returns:
            int32 [batch, tokens].
        """
        if self.synonym:
            x = self._replaced(x, generator)
        if self.swap:
            x = swapped(x, _chosen(x, self.swap, generator), _chances(x, generator))
        if self.word_dropout or self.rarity is not None:
            x = x.masked_fill(_chosen(x, self._unknown(x), generator), UNKNOWN)
        return x

    def _unknown(self, x: Tensor) -> float | Tensor:
        """The chance of each token to become unknown."""
        if self.rarity is None:
            return self.word_dropout
        self.rarity = self.rarity.to(x.device)
        return self.rarity[x.long()].clamp_min(self.word_dropout)

    def _replaced(self, x: Tensor, generator: torch.Generator) -> Tensor:
        assert self.nearest is not None
        self.nearest = self.nearest.to(x.device)
        which = (_chances(x, generator) * self.nearest.shape[1]).long()
        others = self.nearest[x.long(), which].to(x.dtype)
        return torch.where(_chosen(x, self.synonym, generator), others, x)

    def extra_repr(self) -> str:
        return f"word_dropout={self.word_dropout}, swap={self.swap}, synonym={self.synonym}"


def _chances(x: Tensor, generator: torch.Generator) -> Tensor:
    """A chance in [0, 1) for each token."""
    return torch.rand(x.shape, generator=generator, device=generator.device).to(x.device)


def _chosen(x: Tensor, share: float | Tensor, generator: torch.Generator) -> Tensor:
    """Which tokens are to be changed: this share of them, and never padding."""
    return (_chances(x, generator) < share) & (x != PADDING)


def swapped(x: Tensor, chosen: Tensor, chances: Tensor) -> Tensor:
    """Puts the chosen words of each text into another order, in their own places; the others stay where they are.

    Args:
        x: ids, [batch, tokens].
        chosen: which, [batch, tokens].
        chances: decide the order, [batch, tokens].
    """
    places = (~chosen).int().argsort(dim=1, stable=True)  # of the chosen words, then of the others
    drawn = torch.where(chosen, chances, 1.0).argsort(dim=1, stable=True)
    return torch.empty_like(x).scatter_(1, places, x.gather(1, drawn))


@torch.no_grad()
def nearest_words(matrix: Tensor, known: Tensor, count: int = 5, most: int = 20_000) -> Tensor:
    """The words whose vectors have the highest cosine with a word's.

    Args:
        matrix: a vector for each number, [numbers, length].
        known: which of them are words with a vector, [numbers].
        count: how many for each.
        most: only so many words, from the first on, are compared, for the work grows with their square.

    Returns:
        [numbers, count], int64; words without a vector, and those behind `most`, have only themselves.
    """
    nearest = torch.arange(len(matrix))[:, None].repeat(1, count)
    words = known.nonzero().flatten()
    words = words[words > UNKNOWN][:most]
    unit = functional.normalize(matrix[words], dim=1)
    for start in range(0, len(words), 1024):
        own = words[start : start + 1024]
        alike = unit[start : start + 1024] @ unit.T
        alike.diagonal(start).fill_(-torch.inf)  # no word is its own neighbour
        best = alike.topk(min(count, len(words) - 1), dim=1).indices
        nearest[own, : best.shape[1]] = words[best]
    return nearest
