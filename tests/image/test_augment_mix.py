"""mixup and CutMix: pixels and truth shared alike, shares as their distribution has them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.blocks.mixup import symmetric_beta
from multicnn.image.augment_mix import Mixing


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(batch: int = 200, height: int = 10, width: int = 8) -> tuple[Tensor, Tensor]:
    """Each picture has its class's number at every pixel; as many classes as pictures."""
    truth = torch.arange(batch)
    return truth.float()[:, None, None, None].expand(batch, height, width, 1), truth


def test_off_is_off() -> None:
    x, truth = flat()
    assert Mixing()(x, truth, 200, seeded()) == (x, truth)


@pytest.mark.parametrize("settings", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}])
def test_the_truth_is_shared_as_the_pixels_are(settings: dict[str, float]) -> None:
    x, truth = flat()
    mixed, shared = Mixing(**settings)(x, truth, 200, seeded())
    assert mixed.shape == x.shape
    torch.testing.assert_close(shared.sum(1), torch.ones(200))
    torch.testing.assert_close(shared @ torch.arange(200.0), mixed.mean(dim=(1, 2, 3)), rtol=1e-4, atol=1e-2)
    assert ((shared > 0).sum(1) <= 2).all()
    assert len(set(shared.max(1).values.tolist())) > 20  # each its own share


def test_mixup_is_the_same_everywhere_and_cutmix_a_rectangle() -> None:
    x, truth = flat()
    blended, _ = Mixing(mixup=1.0)(x, truth, 200, seeded())
    assert (blended.flatten(1).std(dim=1) == 0).all()
    cut, shared = Mixing(cutmix=1.0)(x, truth, 200, seeded())
    for own, (picture, share) in enumerate(zip(cut[..., 0], shared, strict=True)):
        changed = (picture != own).nonzero()
        assert set(picture.unique().tolist()) <= set(share.nonzero().flatten().float().tolist()) | {float(own)}
        if len(changed):
            (top, left), (bottom, right) = changed.min(dim=0).values.tolist(), changed.max(dim=0).values.tolist()
            assert len(changed) == (bottom - top + 1) * (right - left + 1)
            assert 1 - share[own].item() == pytest.approx(len(changed) / 80, abs=1e-6)


def test_both_are_drawn_half_of_the_time() -> None:
    x, truth = flat(400)
    mixed, _ = Mixing(mixup=1.0, cutmix=1.0)(x, truth, 400, seeded())
    assert 0.35 < (mixed.flatten(1).std(dim=1) > 0).float().mean() < 0.6


def test_repeats_with_its_generator_and_leaves_the_batch_alone() -> None:
    x, truth = flat()
    before = x.clone()
    mixing = Mixing(mixup=0.2, cutmix=1.0)
    first, again, other = (mixing(x, truth, 200, seeded(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(x, before)


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 3.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    beta = symmetric_beta(alpha, *torch.rand(2, 40_000, generator=seeded()))
    expected = np.random.default_rng(0).beta(alpha, alpha, 40_000)
    ranks = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(np.quantile(beta.numpy(), ranks), np.quantile(expected, ranks), rtol=0, atol=0.02)


def test_shares_are_finite_at_the_ends_of_the_chances() -> None:
    ends = torch.tensor([0.0, 1 - 2**-24])
    first, second = torch.meshgrid(ends, torch.tensor([0.0, 0.25, 0.5]), indexing="ij")
    shares = symmetric_beta(0.05, first, second)
    assert ((shares >= 0) & (shares <= 1)).all()


def test_refuses_a_negative_alpha() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Mixing(mixup=-1)
