"""Two pictures in one, and two classes in one truth."""

import torch
from torch import Tensor, nn

from multicnn.blocks.mixup import mixed, symmetric_beta
from multicnn.image.augment_draws import draw, inside


class Mixing(nn.Module):
    """mixup (Zhang et al. 2017) and CutMix (Yun et al. 2019); where both are on, each picture draws which.

    Every picture has a partner in the batch and a share of its own, from Beta(alpha, alpha). In mixup the two lie over
    each other; in CutMix a rectangle of the partner, of 1 - share of the area and centred anywhere, covers the picture.
    The truth is divided by what the rectangle covers once the edges have cut it.

    Args:
        mixup: alpha of mixup, 0 for none.
        cutmix: alpha of CutMix, 0 for none.
    """

    def __init__(self, mixup: float = 0.0, cutmix: float = 0.0) -> None:
        super().__init__()
        if mixup < 0 or cutmix < 0:
            raise ValueError(f"alpha is 0 or more, not {mixup} and {cutmix}")
        self.mixup, self.cutmix = mixup, cutmix

    @torch.no_grad()
    def forward(self, x: Tensor, truth: Tensor, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mixes a batch with itself in another order.

        Args:
            x: pictures of 0 to 255, [batch, height, width, channels].
            truth: classes, [batch].
            classes: how many there are.
            generator: where the chances come from.

        Returns:
            Pictures as float32, and what each class has of each of them, [batch, classes]; both unchanged where
            mixing is off.
        """
        if not self.mixup and not self.cutmix:
            return x, truth
        partner = torch.randperm(len(x), generator=generator, device=generator.device).to(x.device)
        return mixed(x.float(), truth, classes, partner, self._shares(x, generator))

    def _shares(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """How much of each pixel is the picture's own, [batch, height, width, 1]."""
        batch, height, width, _ = x.shape
        blend = x.new_zeros(batch, dtype=torch.float32)
        if self.mixup:
            blend = symmetric_beta(self.mixup, *draw(2, batch, generator, x))
        over_all = blend[:, None, None, None].expand(batch, height, width, 1)
        if not self.cutmix:
            return over_all
        size = torch.tensor([[height], [width]], device=x.device)
        length = ((1 - symmetric_beta(self.cutmix, *draw(2, batch, generator, x))).sqrt() * size).round().long()
        start = (draw(2, batch, generator, x) * size).long() - length // 2
        cut = 1 - inside(start, length, (height, width)).float()
        if not self.mixup:
            return cut
        return torch.where((draw(1, batch, generator, x)[0] < 0.5)[:, None, None, None], cut, over_all)

    def extra_repr(self) -> str:
        return f"mixup={self.mixup:g}, cutmix={self.cutmix:g}"
