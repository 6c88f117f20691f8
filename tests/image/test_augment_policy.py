"""RandAugment and TrivialAugment: each operation against Pillow's, each picture its own."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from torch import Tensor

from multicnn.image.augment_policy import (
    OPERATIONS,
    RANDAUGMENT,
    TRIVIAL,
    RandAugment,
    TrivialAugment,
    operate,
    smooth,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int = 6, height: int = 37, width: int = 34) -> Tensor:
    """Dull ones, so that there is something to stretch and to equalise."""
    return torch.randint(40, 200, (batch, height, width, 3), dtype=torch.uint8, generator=seeded(1))


def done(name: str, x: Tensor, strength: float, sign: float = 1.0) -> Tensor:
    chosen = torch.full((len(x),), OPERATIONS.index(name))
    return operate(x, chosen, torch.full((len(x),), strength), torch.full((len(x),), sign), RANDAUGMENT)


PILLOW: dict[str, tuple[Callable[[Image.Image], Image.Image], float, float, int]] = {
    "identity": (lambda image: image, 0.7, 1, 0),
    "brightness": (lambda image: ImageEnhance.Brightness(image).enhance(1.45), 0.5, 1, 1),
    "contrast": (lambda image: ImageEnhance.Contrast(image).enhance(0.55), 0.5, -1, 1),
    "color": (lambda image: ImageEnhance.Color(image).enhance(1.9), 1.0, 1, 2),
    "sharpness": (lambda image: ImageEnhance.Sharpness(image).enhance(0.1), 1.0, -1, 1),
    "posterize": (lambda image: ImageOps.posterize(image, 5), 0.75, 1, 0),
    "solarize": (lambda image: ImageOps.solarize(image, 128), 0.5, 1, 0),
    "auto_contrast": (ImageOps.autocontrast, 0.5, 1, 1),
    "equalize": (ImageOps.equalize, 0.5, 1, 0),
}


@pytest.mark.parametrize("name", PILLOW)
def test_agrees_with_pillow(name: str) -> None:
    by_pillow, strength, sign, close = PILLOW[name]
    x = pictures()
    found = done(name, x, strength, sign)
    for new, old in zip(found, x, strict=True):
        expected = np.asarray(by_pillow(Image.fromarray(old.numpy()))).astype(int)
        assert abs(new.numpy().astype(int) - expected).max() <= close


def test_smooth_agrees_with_pillow() -> None:
    x = pictures(1)
    expected = np.asarray(Image.fromarray(x[0].numpy()).filter(ImageFilter.SMOOTH)).astype(int)
    assert abs(smooth(x)[0].numpy().astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", ["shear_x", "shear_y", "translate_x", "translate_y", "rotate"])
def test_moves_the_middle_as_pillow_does(name: str) -> None:
    side, middle = 41, 20.0
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    x = torch.stack([rows, columns, rows], -1)[None].to(torch.uint8) * 4  # each pixel says its place
    amount = {"shear": 0.3, "translate": 150 / 331 * side, "rotate": 30.0}[name.rpartition("_")[0] or name] / 3
    coefficients = {
        "shear_x": (1, -amount, amount * middle, 0, 1, 0),
        "shear_y": (1, 0, 0, -amount, 1, amount * middle),
        "translate_x": (1, 0, -amount, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, -amount),
    }
    image = Image.fromarray(x[0].numpy())
    expected = (
        image.rotate(-amount, Image.Resampling.BILINEAR)
        if name == "rotate"
        else image.transform(image.size, Image.Transform.AFFINE, coefficients[name], Image.Resampling.BILINEAR)
    )
    found = done(name, x, 1 / 3)[0, 16:-10, 16:-10].numpy().astype(int)
    assert abs(found - np.asarray(expected)[16:-10, 16:-10].astype(int)).max() <= 5  # about a pixel's step


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("auto_contrast", "equalize")])
def test_strength_0_does_nothing(name: str) -> None:
    assert torch.equal(done(name, pictures(), 0.0), pictures())


def test_one_tone_has_nothing_to_stretch() -> None:
    flat = torch.full((1, 6, 6, 1), 77, dtype=torch.uint8)
    assert torch.equal(done("auto_contrast", flat, 1.0), flat)
    assert torch.equal(done("equalize", flat, 1.0), flat)


def test_a_batch_is_done_as_its_pictures_one_by_one() -> None:
    x = pictures(len(OPERATIONS))
    chosen, strength = torch.arange(len(OPERATIONS)), torch.linspace(0.2, 1, len(OPERATIONS))
    sign = torch.tensor([1.0, -1.0] * 7)
    together = operate(x, chosen, strength, sign, TRIVIAL)
    for at in range(len(x)):
        one = slice(at, at + 1)
        alone = operate(x[one], chosen[one], strength[one], sign[one], TRIVIAL)
        assert abs(together[one].int() - alone.int()).max() <= 1
        assert torch.equal(together[one], x[one]) == (OPERATIONS[at] == "identity")


def test_trivial_augment_draws_all_operations_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    from multicnn.image import augment_policy

    drawn: list[tuple[Tensor, Tensor, Tensor]] = []
    monkeypatch.setattr(augment_policy, "operate", lambda x, *rest: drawn.append(rest[:3]) or x)
    TrivialAugment()(torch.zeros(14_000, 1, 1, 1), seeded())
    ((chosen, strength, sign),) = drawn
    assert abs(chosen.bincount(minlength=14) / 1000 - 1).max() < 0.1
    assert set((strength * 30).round().int().tolist()) == set(range(31))
    assert abs(sign.mean()) < 0.05


def test_rand_augment_does_n_operations_of_one_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    from multicnn.image import augment_policy

    drawn: list[Tensor] = []
    monkeypatch.setattr(augment_policy, "operate", lambda x, *rest: drawn.append(rest[1]) or x)
    RandAugment(3, 15)(torch.zeros(8, 1, 1, 1), seeded())
    assert len(drawn) == 3
    assert torch.equal(torch.stack(drawn), torch.full((3, 8), 0.5))


def test_rand_augment_refuses_no_operations() -> None:
    with pytest.raises(ValueError, match="n of 1 or more"):
        RandAugment(0, 9)
