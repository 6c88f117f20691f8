"""From a trained model to one ONNX file."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from multicnn.blocks.classifier import Classifier, Probabilities
from multicnn.data.files import written_whole
from multicnn.pipeline import Reader

OPSET = 18


def export_onnx(model: Classifier, reader: Reader, example: np.ndarray, path: Path, fold: str = "auto") -> str:
    """Writes the graph from a reader's batch to probabilities, with all weights in it.

    Inside it the layers that `Probabilities` tells of keep their names, so that a reader can have them as outputs.

    Args:
        model: trained; on the CPU and in float32.
        reader: gives the shape of a batch.
        example: one example, as the reader gives it.
        path: the .onnx file.
        fold: the recipe's `model.fold`: the quicker form of the network where there is one (`on`), where it is not too
            large (`auto`), or never (`off`).

    Returns:
        The graph's name for bundle.json: `plain`, or what the network calls its quicker form.
    """
    inputs = torch.from_numpy(reader.collate([example, example]))
    axes = {0: torch.export.Dim("batch")}
    if inputs.ndim == 2 and inputs.dtype == torch.int32 and texts_length(reader) == "tokens":
        axes[1] = torch.export.Dim("tokens", min=2)
    folded = None if fold == "off" else model.network.folded(always=fold == "on")
    network, name = folded or (model.network, "plain")
    graph = Probabilities(model, network).eval()
    with torch.no_grad():
        names = list(graph.layers(inputs))
    with _quietly():
        program = torch.onnx.export(
            graph,
            (inputs,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["input"],
            output_names=names,
            dynamic_shapes=(axes,),
            verbose=False,
        )
    assert program is not None
    for _ in names[1:]:  # of what is inside only the names stay
        program.model.graph.outputs.pop()
    program.save(path, external_data=False)
    return name


def texts_length(reader: Reader) -> int | str:
    """How many tokens a text reader's batches have: `tokens` where it depends on the texts."""
    settings = reader.settings()
    shortest: int = settings["min_length"]
    return "tokens" if shortest < settings["max_length"] else shortest


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter tells its own developers much that users need not know."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def add_metadata(path: Path, text: str) -> None:
    """Puts a text into the model's metadata under the key `multicnn`, in place and all at once.

    Args:
        path: the .onnx file.
        text: JSON.
    """
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"multicnn": text})
    with written_whole(path) as beside:
        onnx.save(model, beside)
