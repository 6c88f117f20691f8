"""Which sound formats are opened, what is said about the others, and whether a file holds all that it promises."""

import io
import re
from typing import BinaryIO, Literal

from multicnn.errors import InputError

NOT_READABLE = (
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
    (0, b"\x30\x26\xb2\x75", "a Windows Media file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"MThd", "a MIDI file, which holds notes and no sound"),
    (0, b"\xff\xf1", "an AAC file"),
    (0, b"\xff\xf9", "an AAC file"),
    (4, b"ftyp", "an MP4 file (.m4a, .mp4: AAC or ALAC sound)"),
)
NOT_SOUNDS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the sound itself; fetch it with `git lfs pull`"),
    (b"<!doctype html", "an HTML page, not a sound; fetch the sound again"),
    (b"<html", "an HTML page, not a sound; fetch the sound again"),
    (b"<?xml", "an XML file, not a sound"),
)

# Chunked containers: magic -> where the chunks begin, bytes of a chunk's size, byte order, the chunk with the samples.
CHUNKED: dict[bytes, tuple[int, int, Literal["little", "big"], bytes]] = {
    b"RIFF": (12, 4, "little", b"data"),
    b"FORM": (12, 4, "big", b"SSND"),
    b"caff": (8, 8, "big", b"data"),
}
# Programs that write to a pipe don't know the length; they put the largest number of their kind, or nearly that.
UNKNOWN_LENGTH = 0x7FFF0000
LARGEST_OGG_PAGE = 65_307  # bytes: a header of 27, 255 lengths, and 255 times 255 bytes (RFC 3533, section 6)


def refusal(content: bytes) -> InputError:
    """Why libsndfile doesn't know a file with this beginning, in one line, with the way out where there is one."""
    for offset, magic, what in NOT_READABLE:
        if content.startswith(magic, offset):
            return InputError(
                f"this is {what}, which libsndfile cannot read; convert it to FLAC or WAV, say with ffmpeg"
            )
    if content.startswith(b"NIST_1A"):
        return InputError("this is a compressed SPHERE file, which libsndfile cannot read; decompress it with sph2pipe")
    start = content[:64].lstrip().lower()
    for magic, what in NOT_SOUNDS:
        if start.startswith(magic):
            return InputError(f"this is {what}")
    return InputError("this is not a sound in a format that can be read (WAV, FLAC, OGG, MP3, AIFF, AU, ...)")


def is_mpeg(head: bytes) -> bool:
    """Whether a file begins like MP3: with a tag, or with a frame's eleven bits."""
    return head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0)


def refuse_truncated(file: BinaryIO) -> None:
    """Compares what the container promises with what is there; libsndfile plays on to the end without a word.

    Args:
        file: read here and there, and never as a whole; it stands anywhere afterwards.

    Raises:
        InputError: the file ends too early.
    """
    there = file.seek(0, io.SEEK_END)
    promised = _promised(_bytes(file, 0, 1024), file, there)
    if promised > there:
        raise InputError(f"the file is truncated: it ends after {there:,} of {promised:,} bytes")


def _promised(head: bytes, file: BinaryIO, there: int) -> int:
    """Where the samples end by the container's own account; 0 where it doesn't say."""
    magic = head[:4]
    if magic in CHUNKED:
        return _chunk_end(file, there, *CHUNKED[magic])
    if magic == b".snd":
        offset, size = (int.from_bytes(head[at : at + 4], "big") for at in (4, 8))
        return offset + size if size < UNKNOWN_LENGTH else 0
    if magic == b"RF64":
        return 8 + int.from_bytes(head[20:28], "little")
    if magic == b"riff":
        return int.from_bytes(head[16:24], "little")
    if magic == b"NIST":
        return _sphere_end(head)
    return _ogg_end(file, there) if magic == b"OggS" else 0


def _bytes(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _chunk_end(file: BinaryIO, there: int, at: int, width: int, order: Literal["little", "big"], samples: bytes) -> int:
    """Where the chunk with the samples ends; 0 where it doesn't say."""
    while at + 4 + width <= there:
        header = _bytes(file, at, 4 + width)
        size = int.from_bytes(header[4:], order)
        at += 4 + width
        if header[:4] == samples:
            return at + size if size < UNKNOWN_LENGTH else 0
        at += size + (size % 2 if width == 4 else 0)  # RIFF and AIFF chunks begin at even places
    return 0


def _ogg_end(file: BinaryIO, there: int) -> int:
    """Where the last Ogg page ends by its own table of segments (RFC 3533, section 6)."""
    start = max(0, there - 2 * LARGEST_OGG_PAGE)
    content = _bytes(file, start, there - start)
    page = content.rfind(b"OggS")
    if page + 27 > len(content):
        return start + page + 27
    segments = content[page + 26]
    return start + page + 27 + segments + sum(content[page + 27 : page + 27 + segments])


def _sphere_end(head: bytes) -> int:
    """Where a NIST SPHERE file ends: 1,024 bytes of text, then the samples that it counts."""
    counts = [
        re.search(name + rb" -(?:i|s\d+) (\d+)", head)
        for name in (b"sample_count", b"sample_n_bytes", b"channel_count")
    ]
    samples, width, channels = (int(found[1]) if found else 0 for found in counts)
    return 1024 + samples * width * channels
