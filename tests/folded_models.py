"""Bundles with a folded TextCNN of random weights, exported as training exports them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from multicnn.blocks.classifier import Classifier
from multicnn.bundle.export import export_onnx
from multicnn.text.architectures.textcnn import TextCNN
from multicnn.text.architectures.textcnn_nb import TextCNNNB
from multicnn.text.read import TextReader

WORDS = 60
LABELS = ["no", "maybe", "yes"]


def folded_model(folder: Path, largest_bias: float = 1.0, **options: Any) -> tuple[Classifier, Path]:
    """A network of the words w0, w1, ... and its bundle.

    Args:
        folder: where the bundle comes to lie.
        largest_bias: of the filters; NaN makes a network whose answers are no numbers.
        options: the network's; those of n-grams make it a TextCNN-NB.
    """
    torch.manual_seed(0)
    kind = TextCNNNB if "ngrams" in options else TextCNN
    network = kind(len(LABELS), WORDS + 2, embedding=16, filters=8, **options).eval()
    with torch.no_grad():
        for convolution in network.features.convolutions:
            convolution.get_parameter("bias").uniform_(0, 1).mul_(largest_bias)
        if isinstance(network, TextCNNNB):
            network.bag.weights[1:].uniform_(-1, 1)
            network.bag.bias.uniform_(-1, 1)
    model = Classifier(torch.nn.Identity(), network)
    reader = TextReader("unicode", [f"w{number}" for number in range(WORDS)], 2000, 5)
    folder.mkdir(parents=True)
    graph = export_onnx(model, reader, np.arange(9, dtype=np.int32), folder / "model.onnx")
    meta = {
        "format": 1,
        "pipeline": "text",
        "labels": LABELS,
        "reader": reader.settings(),
        "architecture": {"options": options},
        "graph": graph,
        "files": {"model.onnx": hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()},
    }
    (folder / "bundle.json").write_text(json.dumps(meta))
    return model, folder
