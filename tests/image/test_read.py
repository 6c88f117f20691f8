"""Pictures from bytes: every colour mode, every size policy, and never half a picture."""

import sys
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from multicnn.errors import InputError, UsageError
from multicnn.image import formats
from multicnn.image.read import ImageFacts, ImageReader, auto_size, decode, inspect

AVIF = ["AVIF"] if features.check("avif") else []
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "PNG": {},
    "GIF": {},
    "BMP": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "TIFF deflated": {"compression": "tiff_deflate"},
    "JPEG progressive": {"progressive": True},
    "PPM": {},
    "JPEG2000": {},
    "ICO": {},
    "QOI": {},
} | {name: {} for name in AVIF}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def noise(height: int, width: int, seed: int = 0) -> Image.Image:
    """Blocks of random colour, so that a lossy format keeps something of them."""
    blocks = np.random.default_rng(seed).integers(0, 255, (-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    return Image.fromarray(np.kron(blocks, np.ones((8, 8, 1), np.uint8))[:height, :width])


def stored(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_reads_a_format_as_pillow_does(name: str) -> None:
    content = stored(noise(40, 48), name.split(maxsplit=1)[0], **FORMATS[name])
    with Image.open(BytesIO(content)) as image:
        expected = np.asarray(image.convert("RGB"))
    height, width = expected.shape[:2]
    np.testing.assert_array_equal(ImageReader(height, width).read(content), expected)


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_an_error_or_whole(name: str) -> None:
    content = stored(noise(64, 96), name.split(maxsplit=1)[0], **FORMATS[name])
    whole = np.asarray(decode(content))
    refused = 0
    for length in range(0, len(content), max(1, len(content) // 40)):
        try:
            picture = decode(content[:length])
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            np.testing.assert_array_equal(np.asarray(picture), whole)
    assert refused > 30


def test_says_that_a_file_is_truncated_or_empty() -> None:
    content = stored(noise(64, 64), "JPEG")
    with pytest.raises(InputError, match="truncated"):
        ImageReader(8, 8).read(content[: len(content) // 2])
    with pytest.raises(InputError, match="empty"):
        ImageReader(8, 8).read(b"")
    with pytest.raises(InputError, match="a text"):
        ImageReader(8, 8).read("a text")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", *AVIF])
def test_obeys_the_exif_orientation(orientation: int, format: str) -> None:
    upright = Image.new("RGB", (64, 32), "black")
    upright.paste((255, 255, 255), (0, 0, 16, 16))  # the light corner is at the top left
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    lying = upright if undo == 1 else upright.transpose(TURNS[undo])
    exif = Image.Exif()
    exif[0x0112] = orientation
    array = ImageReader(32, 64).read(stored(lying, format, exif=exif))
    assert array[4:12, 4:12].min() > 240
    assert array[:, 24:].max() < 15
    assert array[24:].max() < 15


def test_orientation_and_reduced_decoding_go_together() -> None:
    large = noise(800, 1600)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = stored(large.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)
    assert inspect(lying) == ImageFacts("JPEG", 1600, 800, "RGB")
    reader = ImageReader(40, 80)
    expected = reader.read(stored(large)).astype(int)
    assert np.abs(reader.read(lying).astype(int) - expected).mean() < 6


def test_broken_exif_does_not_spoil_good_pixels() -> None:
    content = stored(noise(16, 16), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7fgarbage")
    assert ImageReader(16, 16).read(content).shape == (16, 16, 3)


def grey_ramp(mode: str) -> bytes:
    ramp = np.tile(np.arange(256, dtype=np.int64), (4, 1))
    if mode == "I;16":
        return stored(Image.fromarray((ramp * 257).astype(np.uint16)))
    if mode == "F":
        return stored(Image.fromarray((ramp / 255).astype(np.float32)), "TIFF")
    if mode == "F255":
        return stored(Image.fromarray(ramp.astype(np.float32)), "TIFF")
    if mode == "PPM16":
        return b"P5 256 4 65535\n" + (ramp * 257).astype(">u2").tobytes()
    if mode == "I":
        return stored(Image.fromarray((ramp * 257).astype(np.int32)), "TIFF")
    if mode == "TIFF16 inverted":  # 0 is white
        return stored(Image.fromarray(((255 - ramp) * 257).astype(np.uint16)), "TIFF", tiffinfo={262: 0})
    image = Image.fromarray(ramp.astype(np.uint8))
    if mode.startswith("CMYK"):
        format = "JPEG" if mode.endswith("JPEG") else "TIFF"
        return stored(image.convert("RGB").convert("CMYK"), format, quality=100)
    return stored(image.convert(mode))


@pytest.mark.parametrize(
    "mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "I", "F", "F255", "PPM16", "CMYK", "CMYK JPEG", "TIFF16 inverted"]
)
@pytest.mark.parametrize("color", ["rgb", "gray"])
def test_every_mode_keeps_a_grey_ramp(mode: str, color: str) -> None:
    array = ImageReader(4, 256, color).read(grey_ramp(mode))
    assert array.dtype == np.uint8
    assert array.shape == (4, 256, 3 if color == "rgb" else 1)
    assert np.abs(array.astype(int) - np.arange(256)[None, :, None]).max() <= (2 if mode == "P" else 1)


@pytest.mark.parametrize("mode", ["CMYK", "CMYK JPEG", "YCbCr", "P", "RGB16"])
def test_every_mode_keeps_its_colours(mode: str) -> None:
    colours = np.array([(250, 10, 20), (10, 200, 30), (20, 30, 220), (240, 230, 30)], np.uint8)
    image = Image.fromarray(np.kron(colours.reshape(2, 2, 3), np.ones((16, 16, 1), np.uint8)))
    if mode == "RGB16":
        wide = np.asarray(image).astype(">u2") * 257
        content = b"P6 32 32 65535\n" + wide.astype(">u2").tobytes()
    elif mode == "P":
        content = stored(image.quantize(4), "PNG")
    else:
        space, _, format = mode.partition(" ")
        content = stored(image.convert(space), format or "TIFF", quality=100)
    found = ImageReader(32, 32).read(content).astype(int)
    assert np.abs(found - np.asarray(image)).max() <= 3


def test_values_that_no_eight_bits_stand_for_are_refused() -> None:
    for value, said in ((70_000, "65,535"), (-1, "65,535")):
        content = stored(Image.fromarray(np.full((4, 4), value, np.int32)), "TIFF")
        with pytest.raises(InputError, match=said):
            decode(content)
    not_a_number = stored(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF")
    with pytest.raises(InputError, match="not numbers"):
        decode(not_a_number)


def test_one_bit_becomes_black_and_white() -> None:
    image = Image.new("1", (8, 8), 1)
    image.paste(0, (0, 0, 4, 8))
    array = ImageReader(8, 8, "gray").read(stored(image))
    assert set(array[:, :4].flat) == {0}
    assert set(array[:, 4:].flat) == {255}


def test_transparent_is_white() -> None:
    hidden_red = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert ImageReader(8, 8).read(stored(hidden_red)).min() == 255
    half_black = Image.new("LA", (8, 8), (0, 128))
    assert set(ImageReader(8, 8, "gray").read(stored(half_black)).flat) == {127}
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 255, 0] + [0] * 765)
    assert ImageReader(8, 8).read(stored(palette, "GIF", transparency=0)).min() == 255


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "PNG", "MPO", *AVIF])
def test_takes_the_first_frame(format: str) -> None:
    first, second = Image.new("RGB", (16, 16), "white"), Image.new("RGB", (16, 16), "black")
    content = stored(first, format, save_all=True, append_images=[second])
    assert ImageReader(16, 16).read(content).min() == 255


def test_squash_crop_and_pad() -> None:
    wide = Image.new("RGB", (90, 30), "black")
    wide.paste("white", (30, 0, 60, 30))  # white in the middle third
    content = stored(wide)
    assert ImageReader(30, 30, resize="crop").read(content).min() == 255
    squashed = ImageReader(30, 30, resize="squash").read(content)[..., 0]
    assert squashed[:, 13:17].min() == 255
    assert squashed[:, :7].max() == 0
    padded = ImageReader(30, 30, resize="pad").read(content)[..., 0]
    assert padded[:9].max() == padded[21:].max() == 0
    assert padded[12:18, 13:17].min() == 255


@given(height=st.integers(1, 40), width=st.integers(1, 40), policy=st.sampled_from(["squash", "crop", "pad"]))
def test_any_size_fits_any_target(height: int, width: int, policy: str) -> None:
    content = stored(noise(height, width))
    for target in ((1, 1), (7, 30), (height, width)):
        assert ImageReader(*target, resize=policy).read(content).shape == (*target, 3)


def test_nothing_is_resampled_where_the_size_fits() -> None:
    image = noise(20, 30)
    for policy in ("squash", "crop", "pad"):
        np.testing.assert_array_equal(ImageReader(20, 30, resize=policy).read(stored(image)), np.asarray(image))


def test_shrinking_is_antialiased() -> None:
    board = Image.fromarray((np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8))
    for interpolation in ("bilinear", "bicubic", "lanczos"):
        shrunk = ImageReader(16, 16, "gray", interpolation=interpolation).read(stored(board))
        assert np.abs(shrunk.astype(int) - 127).max() <= 2


def test_a_large_jpeg_is_decoded_small_and_nearly_the_same() -> None:
    smooth = noise(40, 60).resize((1800, 1200), Image.Resampling.BICUBIC)
    jpeg, reader = stored(smooth, "JPEG", quality=95), ImageReader(64, 64, resize="crop")
    assert decode(jpeg, reader).size == (225, 150)  # an eighth, still above twice 96 x 64
    assert np.abs(reader.read(jpeg).astype(int) - reader.read(stored(smooth)).astype(int)).mean() < 2


@pytest.mark.parametrize("size", [(64, 64), (96, 127), (127, 250)])
@pytest.mark.parametrize("policy", ["squash", "crop", "pad"])
def test_a_jpeg_below_twice_the_target_is_decoded_as_a_whole(size: tuple[int, int], policy: str) -> None:
    jpeg = stored(noise(*size), "JPEG", quality=90)
    np.testing.assert_array_equal(
        np.asarray(decode(jpeg, ImageReader(64, 64, resize=policy))), np.asarray(decode(jpeg))
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100), "pillow-heif"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42" + bytes(100), "video"),
        (b"%PDF-1.4", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"\n <!DOCTYPE html><html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"<svg xmlns=", "SVG"),
        (b"hello", "not a picture"),
    ],
)
def test_says_what_else_a_file_is(content: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InputError, match=said):
        ImageReader(8, 8).read(content)


def test_avif_without_the_plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif" + bytes(100)
    monkeypatch.setattr("PIL.features.check", lambda name: False)
    with pytest.raises(InputError, match="no AVIF plug-in"):
        decode(content)


def test_heic_through_its_plug_in_once_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = []
    plugin = SimpleNamespace(register_heif_opener=lambda: registered.append(True))
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    with pytest.raises(InputError, match="HEIF"):  # the pretended plug-in reads nothing
        decode(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100))
    assert registered == [True]


def test_a_decompression_bomb_is_refused_unread() -> None:
    header = stored(Image.new("1", (1, 1)), "BMP")
    bomb = header[:18] + (60_000).to_bytes(4, "little") * 2 + header[26:]
    with pytest.raises(InputError, match="too large"):
        decode(bomb)


def test_inspect_tells_format_size_and_mode() -> None:
    assert inspect(stored(Image.new("LA", (5, 7)))) == ImageFacts("PNG", 5, 7, "LA")
    assert inspect(stored(noise(9, 4), "JPEG")) == ImageFacts("JPEG", 4, 9, "RGB")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(32, 32)] * 3, (32, 32)),
        ([(100, 200)], (100, 200)),
        ([(5, 6)], (8, 8)),
        ([(480, 640)] * 3, (224, 224)),
        ([(20, 80), (40, 40), (100, 64)], (40, 40)),
        ([(1, 2), (2, 1)], (8, 8)),
    ],
)
def test_auto_size(sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    assert auto_size(sizes) == expected


def test_auto_size_needs_a_picture() -> None:
    with pytest.raises(UsageError, match="at least one"):
        auto_size([])


def test_settings_give_the_reader_back() -> None:
    reader = ImageReader(10, 20, "gray", "pad", "lanczos")
    assert ImageReader(**reader.settings()) == reader
    assert reader.collate([reader.read(stored(noise(9, 9)))] * 3).shape == (3, 10, 20, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resize": "cropp"}, "did you mean crop"),
        ({"color": "grey"}, "did you mean gray"),
        ({"interpolation": "cubic"}, "did you mean bicubic"),
        ({"height": 0}, "0 x 8"),
    ],
)
def test_refuses_wrong_settings(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ImageReader(**({"height": 8, "width": 8} | options))


def test_opens_no_format_that_starts_a_program() -> None:
    assert not {"EPS", "WMF", "GRIB", "HDF5"} & {name for _, name, _ in formats.FORMATS}
