"""Weights from a file into a network: what fits by name and shape is taken, and the rest is told."""

import pickle
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from multicnn.errors import UsageError, did_you_mean

IN_A_RUN = ("model/weights.safetensors", "weights.safetensors")
KINDS = (".safetensors", ".pth", ".pt", ".bin")
WRAPPED = ("state_dict", "model_state_dict", "model")  # where training scripts put the weights among other things


@dataclass(slots=True)
class LoadReport:
    """What became of each tensor; `loaded`, `missing` and `mismatched` are the network's names.

    Attributes:
        loaded: taken from the file.
        missing: not in the file.
        unexpected: in the file, unknown to the network; the file's names, less a prefix that the others have.
        mismatched: in the file with another shape, as the last layer is where there are other classes.
    """

    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    def line(self) -> str:
        """One sentence for people."""
        total = len(self.loaded) + len(self.missing) + len(self.mismatched)
        told = [f"{len(self.loaded)} of {total} tensors loaded"]
        for names, why in (
            (self.mismatched, "start fresh for their shape differs"),
            (self.missing, "start fresh for the file lacks them"),
            (self.unexpected, "of the file are not used"),
        ):
            if names:
                told.append(f"{_few(names)} {why}")
        return "; ".join(told)


def open_weights(where: str | Path) -> dict[str, Tensor]:
    """Reads weights, on the CPU, without ever running code from the file.

    Args:
        where: a .safetensors or PyTorch (.pth, .pt, .bin) file, or the folder of a run or a bundle.

    Raises:
        UsageError: there is no such file, it is damaged, or it holds more than tensors.
    """
    path = _weights_file(Path(where))
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UsageError(
            f"{path} holds more than tensors and is not loaded, for it could run code; save it as .safetensors"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError) as error:
        raise UsageError(f"{path} cannot be read, it is damaged or of another kind; fetch it again") from error
    for key in WRAPPED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = {name: value for name, value in _items(content) if isinstance(value, Tensor)}
    if not tensors:
        raise UsageError(f"{path} holds no tensors by name; what is needed is a state dict")
    return tensors


def load_into(model: nn.Module, state_dict: Mapping[str, Tensor]) -> LoadReport:
    """Copies into a model what fits by name and shape; the rest of the model stays as it is.

    Names match too where one side has a prefix that the other lacks (`network.conv1.weight`, `conv1.weight`), and the
    old names of DenseNet's published files are known. A convolution that took 1 or 3 channels is fitted to another
    number of them.

    Args:
        model: any module; its tensors keep their type and device.
        state_dict: tensors by name.

    Raises:
        UsageError: nothing fits.
    """
    own = model.state_dict()
    theirs = _best_names(own, {_modern(name): tensor for name, tensor in state_dict.items()})
    report = LoadReport(unexpected=[name for name in theirs if name not in own])
    for name, tensor in own.items():
        if name not in theirs:
            if not name.endswith("num_batches_tracked"):  # a counter that files from before 2018 lack
                report.missing.append(name)
            continue
        fitted = fit_channels(theirs[name], tensor)
        if fitted.shape == tensor.shape:
            tensor.copy_(fitted)
            report.loaded.append(name)
        else:
            report.mismatched.append(name)
    if not any(own[name].ndim for name in report.loaded):
        raise UsageError(
            f"no weight of the file fits the network: the file has {_few(state_dict)}, the network {_few(own)}"
        )
    return report


def fit_channels(weight: Tensor, wanted: Tensor) -> Tensor:
    """A convolution's weights for colours or for grey, made to fit another number of channels.

    For one channel they are summed: a grey picture then gives what it gave as three equal colours. Other channels take
    them in turn, scaled so that the answers keep their size; so do all channels those of one.

    Args:
        weight: [out, 3 or 1, height, width]; anything else is returned as it is.
        wanted: a tensor of the wanted shape, [out, channels, height, width].
    """
    if weight.ndim != 4 or wanted.ndim != 4:
        return weight
    alike = weight.shape[0] == wanted.shape[0] and weight.shape[2:] == wanted.shape[2:]
    had, channels = weight.shape[1], wanted.shape[1]
    if not alike or had not in (1, 3) or had == channels:
        return weight
    if channels == 1:
        return weight.sum(1, keepdim=True)
    return weight[:, torch.arange(channels) % had] * (had / channels)


def _weights_file(where: Path) -> Path:
    """The file itself, or the one in a run's or a bundle's folder."""
    for path in (where, *(where / inside for inside in IN_A_RUN)):
        if path.is_file():
            if path.suffix not in KINDS:
                raise UsageError(f"{path} is no weights file; it takes {', '.join(KINDS)} or the folder of a run")
            return path
    if where.is_dir():
        raise UsageError(f"{where} holds no {IN_A_RUN[0]}; it is not a finished run")
    near = did_you_mean(where.name, (path.name for path in where.parent.iterdir())) if where.parent.is_dir() else ""
    raise UsageError(f"there is no weights file or run {where}{near}")


def _modern(name: str) -> str:
    """DenseNet's published files call a layer's parts norm.1, conv.1, ...; the dot went when PyTorch forbade it."""
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2.", name)


def _best_names(own: Mapping[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Their tensors with a prefix less, with one more, or as they are: whichever gives most known names."""

    def known(candidate: Mapping[str, Tensor]) -> int:
        return sum(name in own and own[name].ndim > 0 for name in candidate)

    return max([theirs, *_shorter(theirs), *_longer(own, theirs)], key=known)  # the first of equals


def _shorter(theirs: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    for prefix in sorted(_prefixes(theirs)):
        yield {name.removeprefix(prefix): tensor for name, tensor in theirs.items()}


def _longer(own: Mapping[str, Tensor], theirs: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    for prefix in sorted(_prefixes(own)):
        yield {prefix + name: tensor for name, tensor in theirs.items()}


def _prefixes(names: Mapping[str, Tensor]) -> set[str]:
    """The first one and two parts of the names, with their dots: module., model.network."""
    parts = [name.split(".") for name in names]
    return {".".join(part[:depth]) + "." for part in parts for depth in (1, 2) if len(part) > depth}


def _items(content: object) -> list[tuple[str, object]]:
    return [(str(name), value) for name, value in content.items()] if isinstance(content, Mapping) else []


def _few(names: Mapping[str, Tensor] | list[str]) -> str:
    """Three names, and that there are more."""
    return ", ".join(list(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
