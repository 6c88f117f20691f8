"""Random changes to training texts that leave their class alone; each text draws its own."""

import torch
from torch import Tensor, nn

PADDING, UNKNOWN = 0, 1


class TextAugmentation(nn.Module):
    """Replaces random words by the unknown one, so that no single word decides, and so that its vector is trained.

    Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", section 3.1.

    Args:
        word_dropout: the share of words that are replaced, 0 to below 1.
    """

    def __init__(self, word_dropout: float = 0.0) -> None:
        super().__init__()
        if not 0 <= word_dropout < 1:
            raise ValueError(f"word dropout is a share from 0 to below 1, not {word_dropout}")
        self.word_dropout = word_dropout

    @torch.no_grad()
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Changes a batch; `x` itself is left as it was.

        Args:
            x: ids, int32 [batch, tokens]; padding stays padding.
            generator: where the chances come from.

        Returns:
            int32 [batch, tokens].
        """
        if not self.word_dropout:
            return x
        chance = torch.rand(x.shape, generator=generator, device=generator.device).to(x.device)
        return x.masked_fill((chance < self.word_dropout) & (x != PADDING), UNKNOWN)

    def extra_repr(self) -> str:
        return f"word_dropout={self.word_dropout}"
