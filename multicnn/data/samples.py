"""Small data sets that need no download: `sample:digits`, `sample:tones`, `sample:docstrings`."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from multicnn.data.blob import Blob
from multicnn.data.example import Example
from multicnn.data.examples import DataSet, Examples
from multicnn.data.splits import stratified_split
from multicnn.data.temporary import temporary_folder
from multicnn.errors import UsageError, did_you_mean

TEST_FRACTION = 0.2
SEED = 0
KINDS = {"digits": "image", "tones": "audio", "docstrings": "text"}


def open_sample(name: str, kind: str) -> DataSet:
    """Opens a sample; a fifth of each class is its test part.

    Encoded pictures and sounds are written into one temporary file, and each example is a run of bytes in it.

    Args:
        name: "digits", "tones" or "docstrings".
        kind: what the pipeline reads.

    Raises:
        UsageError: there is no such sample, or it is of another kind.
    """
    known = ", ".join(f"sample:{one}" for one in KINDS)
    if name not in KINDS:
        raise UsageError(f"there is no sample:{name}{did_you_mean(name, KINDS)} ({known})")
    if KINDS[name] != kind:
        other = next((f"sample:{one}" for one, its in KINDS.items() if its == kind), "none")
        raise UsageError(f"sample:{name} is for the {KINDS[name]} pipeline; the {kind} pipeline has {other}")
    contents, labels = _maker(name)()
    names = _names(labels, {"image": ".png", "audio": ".wav", "text": ""}[kind])
    held_out = stratified_split(labels, np.arange(len(labels)), TEST_FRACTION, SEED)
    examples = Examples.of(
        Example(one, content, label, "test" if test else "train")
        for one, content, label, test in zip(names, _on_disk(contents), labels, held_out, strict=True)
    )
    return DataSet(f"sample:{name}", kind, examples)


def _maker(name: str) -> Callable[[], tuple[Sequence[bytes | str], list[str]]]:
    """The function that makes a sample's contents and labels."""
    from multicnn.data.sample_digits import digits
    from multicnn.data.sample_docstrings import docstrings
    from multicnn.data.sample_tones import tones

    return {"digits": digits, "tones": tones, "docstrings": docstrings}[name]  # type: ignore[return-value]


def _names(labels: list[str], suffix: str) -> list[str]:
    """`plucked/0001.wav`: a path as in a folder of classes."""
    seen: dict[str, int] = {}
    names = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        names.append(f"{label}/{seen[label]:04}{suffix}")
    return names


def _on_disk(contents: Sequence[bytes | str]) -> list[Blob | str]:
    """Texts as they are; bytes as runs in one temporary file."""
    path: Path = temporary_folder() / f"sample-{secrets.token_hex(4)}"
    placed: list[Blob | str] = []
    offset = 0
    encoded = [content for content in contents if isinstance(content, bytes)]
    if encoded:
        path.write_bytes(b"".join(encoded))
    for content in contents:
        if isinstance(content, str):
            placed.append(content)
        else:
            placed.append(Blob(path, offset, len(content)))
            offset += len(content)
    return placed
