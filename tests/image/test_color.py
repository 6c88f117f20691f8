"""Colour spaces: the formulas by hand, other libraries' figures, and the same in the exported graph."""

import colorsys
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from multicnn.data.parts import divide
from multicnn.image.color import SPACES, ColorSpace
from multicnn.image.frontend import ImageFrontEnd, channels_of
from multicnn.pipeline import load_pipeline
from multicnn.recipe import Data, ImageRecipe
from tests.blocks.block_checks import assert_same_in_onnx
from tests.training.test_settings import run


def colours() -> Tensor:
    """Black, white, greys, the six pure colours, and others, uint8 [1, 20, 20, 3]."""
    pure = [[255 * (n >> bit & 1) for bit in range(3)] for n in range(8)]
    grey = [[n, n, n] for n in (1, 2, 10, 128, 254)]
    rest = np.random.default_rng(0).integers(0, 256, (400 - len(pure) - len(grey), 3)).tolist()
    return torch.tensor(pure + grey + rest, dtype=torch.uint8).view(1, 20, 20, 3)


def converted(name: str, x: Tensor | None = None) -> np.ndarray:
    x = colours() if x is None else x
    return ColorSpace(name)(x.float() / 255).numpy()


def xyz_by_hand(red: float, green: float, blue: float) -> tuple[float, float, float]:
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue))
    return (
        0.412453 * r + 0.357580 * g + 0.180423 * b,
        0.212671 * r + 0.715160 * g + 0.072169 * b,
        0.019334 * r + 0.119193 * g + 0.950227 * b,
    )


def lab_by_hand(red: float, green: float, blue: float) -> tuple[float, float, float]:
    def f(t: float) -> float:
        return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116

    white = xyz_by_hand(1, 1, 1)
    fx, fy, fz = (f(part / whole) for part, whole in zip(xyz_by_hand(red, green, blue), white, strict=True))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def luv_by_hand(red: float, green: float, blue: float) -> tuple[float, float, float]:
    def chromaticity(x: float, y: float, z: float) -> tuple[float, float]:
        whole = x + 15 * y + 3 * z
        return 4 * x / whole, 9 * y / whole

    light = lab_by_hand(red, green, blue)[0]
    if red == green == blue == 0:
        return 0.0, 0.0, 0.0
    u, v = chromaticity(*xyz_by_hand(red, green, blue))
    white_u, white_v = chromaticity(*xyz_by_hand(1, 1, 1))
    return light, 13 * light * (u - white_u), 13 * light * (v - white_v)


def hcl_by_hand(red: float, green: float, blue: float) -> tuple[float, ...]:
    light, u, v = luv_by_hand(red, green, blue)
    chroma, hue = math.hypot(u, v), math.atan2(v, u)
    seen = min(chroma, 1)
    return seen * math.cos(hue), seen * math.sin(hue), chroma, light


def hsv_by_hand(red: float, green: float, blue: float) -> tuple[float, ...]:
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    seen = saturation > 0
    return seen * math.cos(2 * math.pi * hue), seen * math.sin(2 * math.pi * hue), saturation, value


def ycbcr_by_hand(red: float, green: float, blue: float) -> tuple[float, float, float]:
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma, (blue - luma) / 1.772, (red - luma) / 1.402


def cmyk_by_hand(red: float, green: float, blue: float) -> tuple[float, ...]:
    black = 1 - max(red, green, blue)
    inks = [0.0] * 3 if black == 1 else [(1 - c - black) / (1 - black) for c in (red, green, blue)]
    return *inks, black


BY_HAND: dict[str, tuple[Callable[..., tuple[float, ...]], float]] = {
    "xyz": (xyz_by_hand, 1e-5),
    "lab": (lab_by_hand, 1e-3),
    "luv": (luv_by_hand, 2e-3),
    "hcl": (hcl_by_hand, 2e-3),
    "hsv": (hsv_by_hand, 1e-5),
    "ycbcr": (ycbcr_by_hand, 1e-5),
    "cmyk": (cmyk_by_hand, 1e-5),
}


@pytest.mark.parametrize("name", SPACES)
def test_agrees_with_the_definition(name: str) -> None:
    by_hand, close = BY_HAND[name]
    expected = [by_hand(*(pixel / 255)) for pixel in colours().view(-1, 3).double().numpy()]
    found = converted(name)
    assert found.shape == (1, 20, 20, channels_of(name))
    np.testing.assert_allclose(found.reshape(len(expected), -1), expected, rtol=0, atol=close)


def test_agrees_with_scikit_image() -> None:
    color = pytest.importorskip("skimage.color", reason="scikit-image is not installed")
    x = colours().numpy()
    np.testing.assert_allclose(converted("xyz"), color.rgb2xyz(x), rtol=0, atol=1e-5)
    np.testing.assert_allclose(converted("lab"), color.rgb2lab(x), rtol=0, atol=0.02)  # its white has 5 digits
    np.testing.assert_allclose(converted("luv"), color.rgb2luv(x), rtol=0, atol=0.02)
    hsv = color.rgb2hsv(x)
    np.testing.assert_allclose(converted("hsv")[..., 2:], hsv[..., 1:], rtol=0, atol=1e-5)
    seen = hsv[..., 1] > 0
    angle = 2 * np.pi * hsv[..., 0][seen]
    np.testing.assert_allclose(converted("hsv")[..., 0][seen], np.cos(angle), rtol=0, atol=1e-5)
    np.testing.assert_allclose(converted("hsv")[..., 1][seen], np.sin(angle), rtol=0, atol=1e-5)
    video = converted("ycbcr") * [219, 224, 224] + [16, 128, 128]  # scikit-image leaves head- and footroom
    np.testing.assert_allclose(video, color.rgb2ycbcr(x), rtol=0, atol=0.01)


def test_ycbcr_agrees_with_pillow() -> None:
    expected = np.asarray(Image.fromarray(colours()[0].numpy()).convert("YCbCr"), dtype=np.float64)
    found = converted("ycbcr")[0] * 255 + [0, 128, 128]
    np.testing.assert_allclose(found.clip(0, 255), expected, rtol=0, atol=1.01)  # whole numbers there


@pytest.mark.parametrize(
    ("name", "rgb", "expected"),
    [  # of Lindbloom's calculator for sRGB and D65, whose matrix has one digit more
        ("lab", (255, 0, 0), (53.24, 80.09, 67.20)),
        ("lab", (0, 0, 255), (32.30, 79.19, -107.86)),
        ("luv", (255, 0, 0), (53.24, 175.01, 37.76)),
    ],
)
def test_known_figures(name: str, rgb: tuple[int, ...], expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(converted(name, torch.tensor([rgb]))[0], expected, rtol=0, atol=0.05)


@pytest.mark.parametrize("name", SPACES)
def test_grey_has_no_colour(name: str) -> None:
    grey = converted(name, torch.arange(256)[:, None].expand(-1, 3))
    tint = {"lab": [1, 2], "luv": [1, 2], "hcl": [0, 1, 2], "hsv": [0, 1, 2], "ycbcr": [1, 2], "cmyk": [0, 1, 2]}
    np.testing.assert_allclose(grey[:, tint.get(name, [])], 0, atol=2e-4)
    assert np.isfinite(grey).all()


@pytest.mark.parametrize("name", ["hsv", "hcl"])
def test_a_hue_does_not_jump_at_red(name: str) -> None:
    either_side = torch.tensor([[255, 0, 2], [255, 2, 0]])
    assert abs(np.subtract(*converted(name, either_side)[:, :2])).max() < 0.05


@pytest.mark.parametrize("name", SPACES)
def test_front_end_converts_then_normalises_also_in_onnx(name: str) -> None:
    front = ImageFrontEnd([0.5] * channels_of(name), [0.25] * channels_of(name), name)
    front.fit(colours())
    seen = front(colours())
    plain = converted(name)[0].reshape(400, -1)
    np.testing.assert_allclose(front.statistics[0].numpy(), plain.mean(0), rtol=1e-4, atol=1e-4)
    assert abs(seen.mean((0, 2, 3))).max() < 1e-3
    assert abs(seen.std((0, 2, 3)) - 1).max() < 1e-3
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(front(colours()), seen)
    assert_same_in_onnx(front, colours(), colours().repeat(3, 1, 1, 1), atol=1e-4)


@pytest.mark.parametrize("name", ["gray", "lab", "hsv", "cmyk"])
def test_a_network_has_the_channels_of_its_colour_space(name: str, pictures: Path) -> None:
    pipeline = load_pipeline("image")
    wanted = ImageRecipe.model_validate({"image": {"color": name, "size": 28}, "model": {"arch": "lenet"}})
    recipe, reader = pipeline.settle(wanted, divide(Data(path=str(pictures)), "image", 0).train, "cpu")
    assert reader.settings()["color"] == ("gray" if name == "gray" else "rgb")
    model = pipeline.network(recipe, reader, 3)
    x = torch.zeros(2, 28, 28, 1 if name == "gray" else 3, dtype=torch.uint8)
    assert model.frontend(x).shape == (2, channels_of(name), 28, 28)
    assert model(x).shape == (2, 3)


def test_what_was_trained_in_lab_is_exported_with_it(pictures: Path, tmp_path: Path) -> None:
    outcome = run(pictures, tmp_path / "run", image__color="lab", training__epochs=4)
    assert outcome.metrics["test"]["accuracy"] > 0.5
    mean = load_file(outcome.run / "model" / "weights.safetensors")["frontend.lab_mean"]
    assert mean[0] > 10  # a lightness from 0 to 100


def test_statistics_of_rgb_are_not_loaded_for_another_colour_space() -> None:
    rgb, lab = ImageFrontEnd([0.5] * 3, [0.25] * 3), ImageFrontEnd([50, 0, 0], [20] * 3, "lab")
    assert not set(rgb.state_dict()) & set(lab.state_dict())


def test_refuses_a_space_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="not hsl"):
        ColorSpace("hsl")
