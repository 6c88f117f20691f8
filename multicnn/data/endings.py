"""Which file is what, by its ending, and which folder or manifest is which part, by its name."""

from typing import Literal

Kind = Literal["image", "audio", "text", "tokens"]

MEDIA: dict[str, frozenset[str]] = {
    kind: frozenset(endings.split())
    for kind, endings in (
        ("image", ".jpg .jpeg .jpe .jfif .png .bmp .gif .webp .tif .tiff .ppm .pgm .pbm .pnm .tga .avif .heic"),
        ("audio", ".wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .snd .m4a .sph"),
        ("text", ".txt"),
        ("tokens", ".conll .iob .txt"),
    )
}
MANIFESTS = (".csv", ".tsv", ".jsonl", ".parquet")
COLUMNS = (".conll", ".iob")  # tagged sentences, whatever is in them; a .txt file may hold any text
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "eval": "validation",
    "test": "test",
    "testing": "test",
}


def ending(name: str) -> str:
    """The last ending of a path, in small letters with its dot; empty where there is none."""
    base = name[name.rfind("/") + 1 :]
    dot = base.rfind(".")
    return base[dot:].lower() if dot > 0 else ""


def part_of(name: str) -> str | None:
    """The part ("train", "validation" or "test") that a folder's or manifest's name without ending says."""
    return PARTS.get(name.strip().lower())


def is_archive(name: str) -> bool:
    """Whether a path has the ending of an archive that can be read."""
    return name.lower().endswith(ARCHIVES)
