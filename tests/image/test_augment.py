"""Pictures in training: normalised inside the graph, changed one by one, the same again from the same seed."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from multicnn.image.augment import ImageAugmentation
from multicnn.image.frontend import ImageFrontEnd


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int = 64, height: int = 12, width: int = 10) -> Tensor:
    return torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8, generator=seeded(1))


EVERYTHING = {
    "flip": True,
    "flip_vertical": True,
    "crop": 3,
    "rotation": 30,
    "shift": 0.2,
    "zoom": 0.3,
    "shear": 20,
    "resized_crop": 0.3,
    "randaugment": (2, 20),
    "trivialaugment": True,
    "jitter": 0.3,
    "saturation": 0.8,
    "hue": 0.2,
    "blur": 2,
    "noise": 0.1,
    "cutout": 4,
    "erasing": 0.8,
}
EACH = [{key: value} for key, value in EVERYTHING.items()]


def test_front_end_agrees_with_the_definition() -> None:
    x, mean, std = pictures(2), [0.4, 0.5, 0.6], [0.1, 0.2, 0.3]
    expected = ((x.numpy() / 255 - np.array(mean)) / np.array(std)).transpose(0, 3, 1, 2)
    normalised = ImageFrontEnd(mean, std)(x)
    np.testing.assert_allclose(normalised.numpy(), expected, rtol=0, atol=1e-5)
    assert normalised.dtype == torch.float32
    assert normalised.is_contiguous(memory_format=torch.channels_last)


def test_front_end_stays_float32_under_autocast() -> None:
    front, x = ImageFrontEnd([0.5] * 3, [0.25] * 3), pictures(2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(front(x), front(x.float()))
        assert front(x).dtype == torch.float32


def test_front_end_travels_with_the_weights() -> None:
    front = ImageFrontEnd([0.1], [0.2])
    other = ImageFrontEnd([0.5], [0.5])
    other.load_state_dict(front.state_dict())
    assert [one.tolist() for one in other.statistics] == [one.tolist() for one in front.statistics]


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.0]), ([0.5, 0.5], [0.1])])
def test_front_end_refuses_what_cannot_normalise(mean: list[float], std: list[float]) -> None:
    with pytest.raises(ValueError, match="standard deviations"):
        ImageFrontEnd(mean, std)


def test_off_is_off() -> None:
    x = pictures()
    assert ImageAugmentation()(x, seeded()) is x


@pytest.mark.parametrize("settings", [*EACH, EVERYTHING], ids=str)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_keeps_shape_type_and_input_and_repeats_with_a_seed(settings: dict[str, Any], dtype: torch.dtype) -> None:
    x = pictures().to(dtype)
    before = x.clone()
    augment = ImageAugmentation(**settings)
    first, again, other = augment(x, seeded(3)), augment(x, seeded(3)), augment(x, seeded(4))
    assert first.shape == x.shape
    assert first.dtype == dtype
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(x, before)


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_each_picture_draws_its_own(settings: dict[str, Any]) -> None:
    alike = pictures(1).expand(24, -1, -1, -1)
    changed = ImageAugmentation(**settings)(alike, seeded(2))
    assert len({one.numpy().tobytes() for one in changed}) >= (2 if "flip" in str(settings) else 5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (7, 3), (33, 20)])
@pytest.mark.parametrize("channels", [1, 3])
def test_takes_odd_sizes_and_grey(size: tuple[int, int], channels: int) -> None:
    grey = {"saturation": 0.0, "hue": 0.0} if channels == 1 else {}
    x = pictures(5, *size)[..., :channels]
    changed = ImageAugmentation(**{**EVERYTHING, **grey})(x, seeded())
    assert changed.shape == x.shape
    assert changed.dtype == torch.uint8


def test_alternating_flip_mirrors_those_whose_turn_it_is() -> None:
    x = pictures(6)
    turn = torch.tensor([True, False, False, True, True, False])
    flipped = ImageAugmentation(flip="alternating")(x, seeded(), turn)
    assert [torch.equal(new, old.flip(1)) for new, old in zip(flipped, x, strict=True)] == turn.tolist()
    with pytest.raises(ValueError, match="whose turn"):
        ImageAugmentation(flip="alternating")(x, seeded())


def test_vertical_flip_mirrors_about_half_of_the_pictures() -> None:
    x = pictures(400)
    flipped = ImageAugmentation(flip_vertical=True)(x, seeded())
    mirrored = [torch.equal(new, old.flip(0)) for new, old in zip(flipped, x, strict=True)]
    kept = [torch.equal(new, old) for new, old in zip(flipped, x, strict=True)]
    assert all(one != other for one, other in zip(mirrored, kept, strict=True))
    assert 160 < sum(mirrored) < 240


def test_erasing_fills_a_rectangle_of_2_to_40_percent_with_random_values() -> None:
    x = torch.zeros(400, 40, 40, 1)
    erased = ImageAugmentation(erasing=0.5)(x, seeded())
    areas = []
    for new in erased[..., 0]:
        changed = (new != 0).nonzero()
        if len(changed):
            (top, left), (bottom, right) = changed.min(dim=0).values.tolist(), changed.max(dim=0).values.tolist()
            areas.append((bottom - top + 1) * (right - left + 1) / 1600)
            assert len(changed) > 0.9 * 1600 * areas[-1]  # nothing but the rectangle, and all of it
    assert 150 < len(areas) < 250
    assert 0.01 < min(areas) < 0.06
    assert 0.33 < max(areas) < 0.45


def test_flip_mirrors_about_half_of_the_pictures() -> None:
    x = pictures(400)
    flipped = ImageAugmentation(flip=True)(x, seeded())
    mirrored = [torch.equal(new, old.flip(1)) for new, old in zip(flipped, x, strict=True)]
    kept = [torch.equal(new, old) for new, old in zip(flipped, x, strict=True)]
    assert all(one != other for one, other in zip(mirrored, kept, strict=True))
    assert 160 < sum(mirrored) < 240


def test_crop_is_a_window_of_the_reflected_picture() -> None:
    x = pictures(300)
    moved = ImageAugmentation(crop=2)(x, seeded())
    padded = np.pad(x.numpy(), ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    found = set()
    for new, wide in zip(moved.numpy(), padded, strict=True):
        places = [at for at in np.ndindex(5, 5) if (wide[at[0] : at[0] + 12, at[1] : at[1] + 10] == new).all()]
        assert len(places) == 1
        found.add(places[0])
    assert len(found) == 25  # every shift occurs


@pytest.mark.parametrize("size", [1, 2, 3])
def test_crop_may_exceed_a_tiny_picture(size: int) -> None:
    x = pictures(50, size, size)
    moved = ImageAugmentation(crop=7)(x, seeded())
    assert all(set(new.flatten().tolist()) <= set(old.flatten().tolist()) for new, old in zip(moved, x, strict=True))


def test_cutout_covers_one_square_with_the_mean_colour() -> None:
    x = pictures(200)
    cut = ImageAugmentation(cutout=4)(x, seeded())
    sides = set()
    for new, old in zip(cut, x, strict=True):
        changed = (new != old).any(dim=2).nonzero()
        (top, left), (bottom, right) = changed.min(dim=0).values.tolist(), changed.max(dim=0).values.tolist()
        square = new[top : bottom + 1, left : right + 1].reshape(-1, 3)
        assert torch.equal(square.unique(dim=0), old.float().mean(dim=(0, 1)).to(torch.uint8)[None])
        sides.add((bottom - top + 1, right - left + 1))
    assert max(sides) == (4, 4)
    assert min(sides) < (4, 4)  # it may reach over the edge


def test_jitter_changes_brightness_and_contrast_within_its_bounds() -> None:
    x = torch.rand(300, 6, 6, 1, generator=seeded(2)) * 60 + 90  # far from 0 and 255
    lit = ImageAugmentation(jitter=0.2)(x, seeded())
    brightness = lit.mean(dim=(1, 2, 3)) / x.mean(dim=(1, 2, 3))
    contrast = lit.std(dim=(1, 2, 3)) / x.std(dim=(1, 2, 3))
    for factor in (brightness, contrast):
        assert 0.799 < factor.min() < 0.83
        assert 1.17 < factor.max() < 1.201
    assert abs(np.corrcoef(brightness, contrast)[0, 1]) < 0.2


def test_jitter_does_not_wrap_around() -> None:
    x = torch.full((50, 4, 4, 3), 255, dtype=torch.uint8)
    x[:, :2] = 0
    lit = ImageAugmentation(jitter=1.0)(x, seeded()).int()
    assert (lit[:, 2:].float().mean(dim=(1, 2, 3)) >= lit[:, :2].float().mean(dim=(1, 2, 3))).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"crop": -1},
        {"cutout": -1},
        {"jitter": 1.5},
        {"rotation": 200},
        {"shear": 90},
        {"zoom": 1.0},
        {"shift": -0.1},
        {"resized_crop": 1.1},
        {"resized_crop": 0.5, "aspect": 0.5},
        {"randaugment": (2, 31)},
        {"saturation": 2},
        {"hue": 0.6},
        {"blur": -1},
        {"noise": 1.5},
        {"erasing": 1.5},
    ],
    ids=str,
)
def test_refuses_settings_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not"):
        ImageAugmentation(**settings)
