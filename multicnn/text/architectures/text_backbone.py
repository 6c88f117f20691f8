"""What every architecture for texts offers: features, a head, and how it wants its texts to be read."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from multicnn.blocks.backbone import Backbone, Criterion
from multicnn.blocks.mixup import mix_truth, symmetric_beta


class TextBackbone(Backbone):
    """A network over token numbers, [batch, tokens], padded behind with 0.

    Attributes:
        tokenizer: what a token is, a mode of `multicnn.text.tokenize`.
        word_vectors: whether it looks up word vectors, as `features.embedding`; the constructor then takes their mode
            as `vectors`.
        fixed_length: whether every text is cut and padded to one length; the constructor then takes it as `length`.
        own_vocabulary: how many numbers there are in its paper, where they are an alphabet's.
    """

    tokenizer: ClassVar[str] = "unicode"
    word_vectors: ClassVar[bool] = True
    fixed_length: ClassVar[bool] = False
    own_vocabulary: ClassVar[int | None] = None
    head: nn.Sequential
    mixup: float = 0.0  # alpha; 0 for none

    def training_loss(self, x: Tensor, truth: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
        """One forward pass of a training, in which what was found in two texts is mixed, where `mixup` asks for it.

        Guo et al. 2019, "Augmenting Data with Mixup for Sentence Classification: An Empirical Study", section 3,
        senMixup: what the head sees is a text's embedding. Each text has a partner in the batch and a share of its own.
        """
        if not self.mixup:
            return super().training_loss(x, truth, criterion)
        found = self.features(x)
        share = symmetric_beta(self.mixup, *torch.rand(2, len(x), device=x.device))[:, None]
        partner = torch.randperm(len(x), device=x.device)
        over_all = share.view(-1, *[1] * (found.ndim - 1)).to(found.dtype)
        logits = self.head(found[partner].lerp(found, over_all))
        return logits, criterion(logits, mix_truth(truth, partner, share, logits.shape[1]))

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer for `classes` classes in place of the old one."""
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        self.head[-1] = nn.Linear(last.in_features, classes, device=last.weight.device, dtype=last.weight.dtype)
