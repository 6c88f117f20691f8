"""A trained model on disk, opened for reading: a run, a bundle folder or a lone .onnx file. Never imports torch."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multicnn.bundle.protobuf import fields
from multicnn.errors import UsageError, did_you_mean

FORMAT = 1
MODEL = "model.onnx"
META = "bundle.json"
WEIGHTS = "weights.safetensors"
METADATA_KEY = "multicnn"

# onnx.proto: ModelProto.metadata_props is field 14, a list of StringStringEntryProto {key = 1, value = 2}
METADATA_PROPS, KEY, VALUE = 14, 1, 2


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that can be used.

    Attributes:
        meta: what bundle.json says; the same without `files` where the model is a lone .onnx file.
        model: the ONNX file, weights inside.
        folder: where bundle.json lies, or None for a lone .onnx file.
    """

    meta: dict[str, Any]
    model: Path
    folder: Path | None


def open_bundle(path: str | Path) -> Bundle:
    """Opens a trained model and makes sure that its ONNX file is the one that was written.

    Args:
        path: a run (a folder with model/ in it), a bundle folder (bundle.json in it), or a .onnx file of multicnn's.

    Raises:
        UsageError: there is nothing of that name, it is no multicnn model, it is damaged, or a newer multicnn wrote it.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"there is no model {path}{_nearest(path)}")
    if path.is_file():
        return Bundle(_checked(_onnx_metadata(path), path), path, None)
    folder = _bundle_folder(path)
    meta = _checked(_json((folder / META).read_bytes(), folder / META), folder / META)
    verify(folder, meta, MODEL)
    return Bundle(meta, folder / MODEL, folder)


def verify(folder: Path, meta: dict[str, Any], name: str) -> None:
    """Makes sure that one of a bundle's files has the content that bundle.json promises.

    Args:
        folder: the bundle.
        meta: its bundle.json.
        name: a file of it, `model.onnx` or `weights.safetensors`.

    Raises:
        UsageError: the file is missing, or its SHA-256 is another one.
    """
    path = folder / name
    expected = meta.get("files", {}).get(name)
    if expected is None:
        raise UsageError(f"{folder / META} is damaged: it has no checksum of {name}; copy the bundle again")
    if not path.is_file():
        raise UsageError(f"{path} is missing; copy the whole bundle")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != expected:
            raise UsageError(f"{path} is damaged: its content is not what bundle.json says; copy the bundle again")


def _bundle_folder(path: Path) -> Path:
    """The folder with bundle.json: the given one, or model/ in a run."""
    for folder in (path, path / "model"):
        if (folder / META).is_file():
            return folder
    if (path / "fold-1").is_dir():
        raise UsageError(f"{path} has a model for each fold; name one of them, such as {path / 'fold-1'}")
    if (path / "checkpoints").is_dir():
        raise UsageError(
            f"{path} has no model yet, its training did not end; "
            f"go on with: multicnn train image|audio|text --output {path} --resume"
        )
    raise UsageError(f"{path} is neither a run nor a bundle: it has no model/{META} and no {META}")


def _nearest(path: Path) -> str:
    """`; did you mean X?` with a neighbour of that name; names the first missing folder where one is missing."""
    for folder, child in zip(reversed(path.parents), [*reversed(path.parents[:-1]), path], strict=True):
        if not child.exists():
            near = did_you_mean(child.name, [entry.name for entry in folder.iterdir()] if folder.is_dir() else [])
            return near or f": nothing named {child.name} is in {folder.absolute()}"
    return ""


def _checked(meta: dict[str, Any], source: Path) -> dict[str, Any]:
    """The same metadata, once they are known to be complete and of a format that this version reads."""
    written = meta.get("format")
    if isinstance(written, int) and written > FORMAT:
        version = meta.get("provenance", {}).get("multicnn")
        raise UsageError(
            f"{source} has bundle format {written}, this multicnn reads format {FORMAT}; "
            f"install multicnn {version + ' or ' if version else ''}newer"
        )
    missing = [key for key in ("format", "pipeline", "labels", "reader") if not meta.get(key)]
    if missing:
        raise UsageError(f"{source} is damaged: {', '.join(missing)} missing; copy the model again")
    return meta


def _json(content: bytes, source: Path) -> dict[str, Any]:
    """A JSON object from bytes."""
    try:
        meta = json.loads(content)
    except ValueError as error:
        raise UsageError(f"{source} is damaged: {error}; copy the model again") from None
    if not isinstance(meta, dict):
        raise UsageError(f"{source} is damaged: it is not a JSON object; copy the model again")
    return meta


def _onnx_metadata(path: Path) -> dict[str, Any]:
    """What `multicnn` says in an ONNX file's metadata_props.

    Walks over the outermost fields only and skips the weights, so that it takes no time; importing onnx takes 0.1 s.
    """
    try:
        with path.open("rb") as file:
            for entry in fields(file, path.stat().st_size):
                if entry.number != METADATA_PROPS or entry.is_number:
                    continue
                inside = fields(file, file.tell() + entry.value)
                pair = {field.number: file.read(field.value) for field in inside if not field.is_number}
                if pair.get(KEY) == METADATA_KEY.encode():
                    return _json(pair.get(VALUE, b""), path)
    except EOFError:
        raise UsageError(f"{path} is damaged or not an ONNX file; copy the model again") from None
    raise UsageError(f"{path} was not written by multicnn: it says nothing about its classes and its input")
