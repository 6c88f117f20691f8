"""A trained model on disk: the ONNX file, its weights, what it is in JSON, and a page for people."""

import datetime
import hashlib
import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import multicnn
from multicnn.blocks.classifier import Classifier
from multicnn.bundle.export import add_metadata, export_onnx, texts_length
from multicnn.bundle.read import FORMAT, META, MODEL, WEIGHTS, Bundle
from multicnn.bundle.tensors import Weights, save_tensors
from multicnn.data.files import write_atomically
from multicnn.pipeline import Reader
from multicnn.recipe import Recipe

Metrics = dict[str, Any]
VERSIONS_OF = ("torch", "torchvision", "torchaudio", "onnxruntime", "numpy")


def describe(
    recipe: Recipe, reader: Reader, model: Classifier, labels: list[str], example: np.ndarray, counts: dict[str, int]
) -> dict[str, Any]:
    """What bundle.json says before the figures are known.

    Args:
        recipe: settled.
        reader: of the pipeline.
        model: the classifier.
        labels: the classes, in the order of the outputs.
        example: one example, as the reader gives it.
        counts: examples in each part.
    """
    rest = [texts_length(reader)] if recipe.pipeline == "text" else example.shape
    return {
        "format": FORMAT,
        "pipeline": recipe.pipeline,
        "name": recipe.model.arch,
        "labels": labels,
        "reader": reader.settings(),
        "architecture": {
            "name": recipe.model.arch,
            "options": recipe.model.options,
            "parameters": sum(p.numel() for p in model.network.parameters()),
        },
        "input": {"dtype": str(example.dtype), "shape": ["batch", *rest]},
        "provenance": {
            "multicnn": multicnn.__version__,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "recipe": recipe.model_dump(mode="json"),
            "data": recipe.data.path,
            "examples": counts,
            "weights": recipe.model.weights,
            "versions": versions(),
        },
        "figures": {},
    }


def versions() -> dict[str, str]:
    """The versions that a result may depend on."""
    return {name: version(name) for name in VERSIONS_OF}


def write_bundle(
    folder: Path,
    model: Classifier,
    reader: Reader,
    example: np.ndarray,
    meta: dict[str, Any],
    measure: Callable[[Bundle], dict[str, Metrics | None]],
    fold: str = "auto",
) -> dict[str, Metrics | None]:
    """Exports a model, measures what was exported, and writes the bundle; it appears all at once.

    Args:
        folder: where the bundle comes to lie; one that is there is replaced.
        model: on the CPU and in float32.
        reader: of the pipeline.
        example: one example, as the reader gives it.
        meta: from `describe`.
        measure: gives the figures of each part by the exported model.
        fold: the recipe's `model.fold`.

    Returns:
        The figures.
    """
    return write_files(
        folder, meta, dict(model.state_dict()), lambda path: export_onnx(model, reader, example, path, fold), measure
    )


def write_files(
    folder: Path,
    meta: dict[str, Any],
    weights: Weights,
    export: Callable[[Path], str],
    measure: Callable[[Bundle], dict[str, Metrics | None]],
) -> dict[str, Metrics | None]:
    """Writes a bundle, whatever its graph is made of; it appears all at once.

    Args:
        folder: where the bundle comes to lie; one that is there is replaced.
        meta: what bundle.json says before the figures are known.
        weights: by name.
        export: writes the ONNX file, and says what its graph is.
        measure: gives the figures of each part by the exported model.

    Returns:
        The figures.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    graph = export(partial / MODEL)
    figures = measure(Bundle(meta, partial / MODEL, partial))
    meta = {**meta, "graph": graph, "figures": {part: _short(one) for part, one in figures.items()}}
    add_metadata(partial / MODEL, json.dumps(meta, ensure_ascii=False))
    save_tensors(
        partial / WEIGHTS,
        weights,
        {"labels": meta["labels"], "architecture": meta["architecture"]},
    )
    files = {name: _sha256(partial / name) for name in (MODEL, WEIGHTS)}
    write_atomically(partial / META, json.dumps({**meta, "files": files}, ensure_ascii=False, indent=1))
    write_atomically(partial / "README.md", _page({**meta, "files": files}))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return figures


def _short(figures: Metrics | None) -> Metrics | None:
    """The single figures, without tables."""
    return (
        None
        if figures is None
        else {key: value for key, value in figures.items() if not isinstance(value, dict | list)}
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _page(meta: dict[str, Any]) -> str:
    """The bundle's README: what the model is, how good it is, how it is used."""
    classes = ", ".join(f"`{label}`" for label in meta["labels"][:50]) + (", ..." if len(meta["labels"]) > 50 else "")
    rows = [
        f"| {part} | {one['count']} | {one['accuracy']:.2%} | {one['macro_f1']:.2%} | {one['log_loss']:.4f} |"
        for part, one in meta["figures"].items()
        if one is not None
    ]
    architecture, made = meta["architecture"], meta["provenance"]
    return "\n".join(
        [
            f"# A classifier for {meta['pipeline']}: {architecture['name']}",
            "",
            f"It tells {len(meta['labels'])} classes apart: {classes}.",
            "",
            f"{architecture['parameters']:,} parameters; trained by multicnn {made['multicnn']} "
            f"on {made['examples']['train']:,} examples; {made['created']}.",
            "",
            "| part | examples | accuracy | macro F1 | log loss |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Use it: `multicnn predict THIS_FOLDER INPUTS...`. `model.onnx` also works alone, with any ONNX Runtime:",
            f"input `{meta['input']['dtype']} {meta['input']['shape']}`, output `probabilities`, one column a class.",
            "",
        ]
    )
