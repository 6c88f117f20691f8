"""Which picture formats are opened, and what is said about the others. Torch-free."""

import warnings
from importlib import import_module
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from multicnn.errors import InputError

# Pillow remarks on broken metadata and large pictures with Python warnings; what matters is an InputError here.
warnings.filterwarnings("ignore", module=r"PIL\.")

# How the files begin. Pillow opens more formats, but one of them (EPS) starts another program.
# Only the plug-in of the format at hand is imported: all of them together take a tenth of a second.
FORMATS = (
    (b"\xff\xd8\xff", "JPEG", "JpegImagePlugin"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "PngImagePlugin"),
    (b"GIF8", "GIF", "GifImagePlugin"),
    (b"BM", "BMP", "BmpImagePlugin"),
    (b"II*\x00", "TIFF", "TiffImagePlugin"),
    (b"MM\x00*", "TIFF", "TiffImagePlugin"),
    (b"II+\x00", "TIFF", "TiffImagePlugin"),
    (b"MM\x00+", "TIFF", "TiffImagePlugin"),
    *((b"P" + digit, "PPM", "PpmImagePlugin") for digit in (b"1", b"2", b"3", b"4", b"5", b"6", b"F", b"f")),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000", "Jpeg2KImagePlugin"),
    (b"\xff\x4f\xff\x51", "JPEG2000", "Jpeg2KImagePlugin"),
    (b"\x00\x00\x01\x00", "ICO", "IcoImagePlugin"),
    (b"qoif", "QOI", "QoiImagePlugin"),
    (b"8BPS", "PSD", "PsdImagePlugin"),
    (b"\x0a\x05\x01", "PCX", "PcxImagePlugin"),
    (b"\x01\xda", "SGI", "SgiImagePlugin"),
)
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
NOT_PICTURES = (
    (b"version https://git-lfs", "a Git LFS pointer, not the picture itself; fetch it with `git lfs pull`"),
    (b"%PDF", "a PDF document; export its pages as PNG"),
    (b"%!PS", "a PostScript file; convert it to PNG"),
    (b"<!doctype html", "an HTML page, not a picture; fetch the picture again"),
    (b"<html", "an HTML page, not a picture; fetch the picture again"),
    (b"<svg", "an SVG drawing; convert it to PNG"),
    (b"<?xml", "an XML or SVG file; convert it to PNG"),
)


def open_picture(content: bytes) -> Image.Image:
    """Reads the header only, with the one plug-in that the first bytes ask for.

    Raises:
        InputError: empty, broken, too large, or no picture that this Pillow reads.
    """
    if not content:
        raise InputError("the file is empty")
    name, plugin = _format(content)
    try:
        import_module(f"PIL.{plugin}")
        return Image.open(BytesIO(content), formats=(name,))
    except Exception as error:  # on broken files Pillow's plug-ins raise whatever their parsing ran into
        raise unreadable(name, error) from error


def _format(content: bytes) -> tuple[str, str]:
    """Pillow's name of the format and of its plug-in.

    Raises:
        InputError: nothing that is read here; says what it is where that can be told.
    """
    for magic, name, plugin in FORMATS:
        if content.startswith(magic):
            return name, plugin
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP", "WebPImagePlugin"
    if content[4:8] == b"ftyp":
        return _iso_media(content)
    start = content[:64].lstrip().lower()
    for magic, what in NOT_PICTURES:
        if start.startswith(magic.lower()):
            raise InputError(f"this is {what}")
    raise InputError("this is not a picture in a format that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, ...)")


def _iso_media(content: bytes) -> tuple[str, str]:
    """AVIF and HEIC share a container; not every Pillow reads the first, and none reads the second by itself."""
    length = int.from_bytes(content[:4], "big")
    brands = {content[at : at + 4] for at in (8, *range(16, min(length, 256), 4))}
    if brands & {b"avif", b"avis"}:
        from PIL import features

        if features.check("avif"):
            return "AVIF", "AvifImagePlugin"
        raise InputError("this is an AVIF picture and this Pillow has no AVIF plug-in; update Pillow or convert to PNG")
    if brands & set(HEIC_BRANDS):
        try:
            import_module("pillow_heif").register_heif_opener()
        except ImportError as error:
            fix = "`pip install pillow-heif`, or convert it to JPEG"
            raise InputError(f"this is a HEIC picture and the plug-in pillow-heif is missing; {fix}") from error
        return "HEIF", "Image"
    raise InputError("this is a video or sound (MP4 container), not a picture")


def unreadable(name: str, error: Exception) -> InputError:
    """One line on why a picture cannot be used, from what Pillow raised."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return InputError(f"the {name} picture is too large: {str(error).split(',')[0]}; make it smaller")
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return InputError(f"the {name} picture is truncated: the file ends too early")
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"this begins like {name}, but it is broken or truncated")
    detail = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"the {name} picture is broken or truncated ({detail})")
