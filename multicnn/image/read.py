"""From a picture's bytes to uint8 pixels of one size and colour. Torch-free: prediction runs exactly this."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from multicnn.data.example import Content, Example
from multicnn.errors import InputError, UsageError, did_you_mean
from multicnn.image.formats import open_picture, unreadable

MODES = {"rgb": "RGB", "gray": "L"}
RESIZE = ("squash", "crop", "pad")
INTERPOLATION = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

PHOTOMETRIC = 262  # TIFF's tag: at 0, white is 0
TURNS = {  # EXIF orientation -> what makes it upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a picture file holds: its format, its upright size in pixels and Pillow's name for its colour mode."""

    format: str
    width: int
    height: int
    mode: str


@dataclass(frozen=True)
class ImageReader:
    """Reads one picture as uint8 [height, width, channels].

    Args:
        height: pixels.
        width: pixels.
        color: `rgb` (3 channels) or `gray` (1 channel, luma of ITU-R 601).
        resize: `squash` changes the aspect ratio, `crop` fits the shorter side and keeps the centre,
            `pad` fits the longer side and adds black.
        interpolation: a Pillow filter; all but `nearest` are antialiased.
    """

    height: int
    width: int
    color: str = "rgb"
    resize: str = "squash"
    interpolation: str = "bilinear"

    windows = False  # a picture is read as a whole

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise UsageError(f"a picture has at least 1 x 1 pixels, not {self.height} x {self.width}")
        for key, value, choices in (
            ("color", self.color, tuple(MODES)),
            ("resize", self.resize, RESIZE),
            ("interpolation", self.interpolation, tuple(INTERPOLATION)),
        ):
            if value not in choices:
                listed = ", ".join(choices)
                raise UsageError(f"image.{key} is one of {listed}, not {value}{did_you_mean(str(value), choices)}")

    def read(self, content: Content) -> np.ndarray:
        """Decodes and resizes; nothing is resampled where the size already fits.

        Returns:
            uint8 [height, width, 3], or [height, width, 1] for `gray`.

        Raises:
            InputError: the bytes are empty, truncated, too large or no picture that Pillow can read.
        """
        image = decode(content, self)
        if image.size != (self.width, self.height):
            image = self._fit(image)
        array = np.asarray(image)
        return array if array.ndim == 3 else array[:, :, None]

    def cut(self, example: Example, training: bool = False) -> list[Example]:
        """The picture itself."""
        return [example]

    def collate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """One batch, uint8 [batch, height, width, channels]."""
        return np.stack(arrays)

    def settings(self) -> dict[str, Any]:
        """The fields; `ImageReader(**settings)` is the same reader."""
        return asdict(self)

    def scale(self, size: tuple[int, int]) -> tuple[float, float]:
        """The factors in width and height from a picture of `size` (width, height) to what is kept of it."""
        across, down = self.width / size[0], self.height / size[1]
        if self.resize == "squash":
            return across, down
        factor = max(across, down) if self.resize == "crop" else min(across, down)
        return factor, factor

    def _fit(self, image: Image.Image) -> Image.Image:
        """Resizes by the policy; a whole-number reduction first (never below twice the size) keeps large ones fast."""
        filter_ = INTERPOLATION[self.interpolation]
        target = (self.width, self.height)
        across, down = self.scale(image.size)
        if self.resize == "squash":
            return image.resize(target, filter_, reducing_gap=2.0)
        if self.resize == "crop":
            left = max(0.0, (image.width - self.width / across) / 2)  # rounding must not leave the picture
            top = max(0.0, (image.height - self.height / down) / 2)
            box = (left, top, image.width - left, image.height - top)
            return image.resize(target, filter_, box=box, reducing_gap=2.0)
        inner = (max(1, round(image.width * across)), max(1, round(image.height * down)))
        canvas = Image.new(image.mode, target)
        middle = ((target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2)
        canvas.paste(image.resize(inner, filter_, reducing_gap=2.0), middle)
        return canvas


def decode(content: Content, reader: ImageReader | None = None) -> Image.Image:
    """Decodes the first frame completely, upright, on white where it is transparent, 8 bits a channel.

    Args:
        content: the file's bytes.
        reader: what the picture is for: its colour, and its size, which lets a much larger JPEG be decoded at an
            eighth, a quarter or half of its size (never below twice what is needed). Without it: RGB, full size.

    Raises:
        InputError: empty, truncated, broken, too large, or not a picture that this Pillow reads.
    """
    if not isinstance(content, bytes):
        raise InputError("this is a text, not a picture's bytes")
    mode = MODES[reader.color] if reader else "RGB"
    image = open_picture(content)
    try:
        if reader is not None and image.format in ("JPEG", "MPO"):
            _draft(image, mode, reader)
        image.load()
        return _eight_bit(_upright(image), mode)
    except Exception as error:  # on broken files Pillow's plug-ins raise whatever their parsing ran into
        raise unreadable(image.format or "", error) from error


def inspect(content: Content) -> ImageFacts:
    """Decodes everything and says what it is.

    Raises:
        InputError: as `decode`.
    """
    image = decode(content)
    stored = open_picture(content) if isinstance(content, bytes) else image
    return ImageFacts(stored.format or "", image.width, image.height, stored.mode)


def auto_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The size that `image.size: auto` means, from the (height, width) of the training pictures.

    Pictures of one size up to 224 x 224 keep it. Otherwise a square with as many pixels as the median picture, at most
    224 x 224, the size that ImageNet's networks were made for. Never below 8 x 8.
    """
    if not sizes:
        raise UsageError("image.size: auto needs at least one readable picture; give a number of pixels")
    height, width = sizes[0]
    if max(height, width) <= 224 and all(size == (height, width) for size in sizes):
        return max(height, 8), max(width, 8)
    side = round(float(np.median([(high * wide) ** 0.5 for high, wide in sizes])))
    return (min(max(side, 8), 224),) * 2


def _draft(image: Image.Image, mode: str, reader: ImageReader) -> None:
    """Has the JPEG decoder leave out detail that resizing would throw away, and colour that is not asked for."""
    sideways = _orientation(image) >= 5
    width, height = image.size[::-1] if sideways else image.size
    across, down = reader.scale((width, height))
    enough = (max(1, round(2 * width * across)), max(1, round(2 * height * down)))
    image.draft(mode, enough[::-1] if sideways else enough)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where the metadata is broken: the pixels may still be good."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:
        return 1


def _upright(image: Image.Image) -> Image.Image:
    """Obeys the EXIF orientation; the TIFF plug-in has done so by itself."""
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _eight_bit(image: Image.Image, mode: str) -> Image.Image:
    """Converts any of Pillow's modes to `RGB` or `L`.

    What is transparent shows white: the page that drawings and logos were made for.
    """
    if image.mode.startswith("I") or image.mode == "F":
        image = _narrow(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert(mode)


def _narrow(image: Image.Image) -> Image.Image:
    """16 bits (Pillow's modes I and I;16) and floats to 8; Pillow's own conversion clips at 255.

    Floats are taken as 0 to 1, or as 0 to 255 where they go beyond 1.

    Raises:
        InputError: floats that are not numbers, or whole numbers that 16 bits do not hold.
    """
    values = np.asarray(image).astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError("the picture has values that are not numbers")
    if image.mode != "F" and not 0 <= values.min() <= values.max() <= 65535:
        raise InputError("the picture has values below 0 or above 65,535; convert it to 8 or 16 bits")
    top = 65535.0 if image.mode != "F" else 1.0 if values.max() <= 1 else 255.0
    if getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == 0:  # Pillow turns only 8 bits round
        values = top - values
    return Image.fromarray(np.clip(np.rint(values * (255.0 / top)), 0, 255).astype(np.uint8))
