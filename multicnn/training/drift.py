"""Weight drift: how far each layer's weights have come from those they started with."""

import json
from typing import Any

import torch
from torch import Tensor, nn

from multicnn.bundle.tensors import Weights, load_tensors, save_tensors
from multicnn.data.files import write_atomically
from multicnn.training.run_folder import RunFolder


def keep_start(run: RunFolder, network: nn.Module) -> None:
    """Writes the weights that a training starts from beside its checkpoints, for a resumed run needs them too."""
    save_tensors(run.start, _weights(network), {})


def write_drift(run: RunFolder, network: nn.Module, weights_from: str, epoch: int) -> None:
    """Writes drift.json and removes the weights of the start; does nothing where that was done before.

    Args:
        run: where both lie.
        network: with the weights that are shipped.
        weights_from: `model.weights`, what the training started from.
        epoch: whose weights these are, from 1.
    """
    if not run.start.exists():
        return
    layers = drift(load_tensors(run.start)[0], _weights(network))
    figures = {"format": 1, "weights": weights_from, "epoch": epoch, "layers": layers}
    write_atomically(run.drift, json.dumps(figures, indent=1))
    run.start.unlink()


def _weights(network: nn.Module) -> Weights:
    """Kernels and matrices by name, from the input on; what has one axis only shifts or scales."""
    return {name: weight for name, weight in network.named_parameters() if weight.ndim > 1}


def drift(before: Weights, after: Weights) -> list[dict[str, Any]]:
    """Correlation and relative change of each layer's weights.

    Palanisamy et al. 2020, "Rethinking CNN Models for Audio Classification", compare a fine-tuned DenseNet's layers
    with the pretrained ones: early layers hardly move, late ones do.

    Args:
        before: the weights at the start, by name.
        after: the weights now.

    Returns:
        In the order of `after`: the name, the shape, Pearson's correlation of all weights of the layer, and the norm of
        the change over the norm at the start; None where a layer started with weights that are all alike, or 0.
    """
    return [
        {
            "name": name.removesuffix(".weight"),
            "shape": list(weight.shape),
            "correlation": _correlation(before[name], weight),
            "relative_change": _relative_change(before[name], weight),
        }
        for name, weight in after.items()
    ]


@torch.no_grad()
def _correlation(before: Tensor, after: Tensor) -> float | None:
    both = torch.stack([before.flatten(), after.flatten()]).double()
    deviations = both - both.mean(1, keepdim=True)
    norms = deviations.norm(dim=1)
    return (deviations[0] @ deviations[1] / norms.prod()).item() if norms.min() > 0 else None


@torch.no_grad()
def _relative_change(before: Tensor, after: Tensor) -> float | None:
    norm = before.double().norm()
    return ((after.double() - before.double()).norm() / norm).item() if norm > 0 else None
