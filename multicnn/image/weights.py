"""ImageNet weights: which there are, where they lie, how they get there."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from multicnn.architectures import AUDIO
from multicnn.blocks.loading import LoadReport, load_into, open_weights
from multicnn.errors import MulticnnError, UsageError
from multicnn.image.download import fetch
from multicnn.language.tree import is_pattern

__all__ = [
    "LoadReport",
    "Weights",
    "download",
    "find_weights",
    "imagenet_weights",
    "load_into",
    "open_weights",
    "published",
]

# These two were trained on values from -1 to 1: where torchvision loads weights it converts inside the network instead.
MINUS_ONE_TO_ONE = ("googlenet", "inception_v3")
# Known without torchvision, whose import takes seconds.
NEVER_PUBLISHED = (
    *("linear", "lenet", "zfnet", "nin", "allconv", "resnet9"),
    *("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    *("densenet_bc_100_12", "densenet_bc_190_40", "densenet_bc_250_24"),
)
# The papers' own training, whose files everybody knows; later recipes of torchvision go by the names V2, SWAG, ...
FIRST_VERSION = ("resnet", "densenet")


@dataclass(frozen=True, slots=True)
class Weights:
    """A published file of weights, and what its network expects to see.

    Attributes:
        name: of the network, as torchvision has it.
        url: where it is published.
        mean, std: of the three colours on the scale 0 to 1, by which inputs are normalised.
        crop: the side of the square that the network was trained on, in pixels.
        resize: to what the shorter side is resized before the crop at the centre.
        interpolation: how it is resized.
        path: where the file lies on this machine; None where it does not.
    """

    name: str
    url: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: int
    resize: int
    interpolation: str
    path: Path | None = None

    @property
    def file(self) -> str:
        """The file's name, which ends with the start of its sha256."""
        return self.url.rpartition("/")[2]

    def normalisation(self, channels: int) -> tuple[list[float], list[float]]:
        """Mean and standard deviation per channel; channels that are no three colours all take the colours' average."""
        if channels == 3:
            return list(self.mean), list(self.std)
        return [sum(self.mean) / 3] * channels, [sum(self.std) / 3] * channels

    def read(self) -> dict[str, Tensor]:
        """The tensors by name.

        Raises:
            UsageError: the file is not there or cannot be read.
        """
        if self.path is None:
            raise UsageError(_how_to_get(self))
        return open_weights(self.path)


def published(name: str) -> Weights | None:
    """What torchvision publishes for an architecture.

    Args:
        name: from the catalogue, or torchvision:NAME.

    Returns:
        Its weights, not looked for yet; None where there are none.
    """
    if name in NEVER_PUBLISHED or name in AUDIO or is_pattern(name):
        return None
    import torchvision

    name = name.removeprefix("torchvision:")
    if name not in torchvision.models.list_models(module=torchvision.models):
        return None
    versions = torchvision.models.get_model_weights(name)
    chosen = versions.IMAGENET1K_V1 if name.startswith(FIRST_VERSION) else versions.DEFAULT
    seen: Any = chosen.transforms()
    mean, std = (tuple(seen.mean), tuple(seen.std)) if name not in MINUS_ONE_TO_ONE else ((0.5,) * 3, (0.5,) * 3)
    return Weights(name, chosen.url, mean, std, seen.crop_size[0], seen.resize_size[0], seen.interpolation.value)


def folders() -> list[Path]:
    """Where weights may lie: PyTorch's folder, which other programs fill too, and our own."""
    cache = os.environ.get("MULTICNN_CACHE")
    own = Path(cache) if cache else Path.home() / ".cache" / "multicnn" / "weights"
    return [Path(torch.hub.get_dir()) / "checkpoints", own]


def find_weights(name: str) -> Path | None:
    """Where an architecture's ImageNet weights lie on this machine; None where they do not, or there are none."""
    weights = published(name)
    return _find(weights) if weights else None


def download(name: str) -> Path:
    """Fetches an architecture's ImageNet weights into our own folder and tells it on stderr first.

    `MULTICNN_WEIGHTS_URL` names another server, a mirror of download.pytorch.org/models.

    Returns:
        The file, complete and checked.

    Raises:
        UsageError: there are no such weights.
        MulticnnError: it is forbidden (`MULTICNN_OFFLINE=1`), there is no connection within 5 seconds, or what came is
            not what was published.
    """
    weights = published(name)
    if weights is None:
        raise UsageError(f"there are no ImageNet weights for {name}")
    if os.environ.get("MULTICNN_OFFLINE", "") not in ("", "0"):
        raise MulticnnError("MULTICNN_OFFLINE forbids downloads")
    mirror = os.environ.get("MULTICNN_WEIGHTS_URL")
    url = weights.url if not mirror else f"{mirror.rstrip('/')}/{weights.file}"
    return fetch(url, folders()[-1] / weights.file, _sha256(weights.file))


def imagenet_weights(name: str, wanted: Literal["auto", "imagenet"], *, may_download: bool = True) -> Weights | None:
    """The ImageNet weights with which a training starts.

    Args:
        name: the architecture.
        wanted: "auto" goes on without them and says so in one line on stderr; "imagenet" insists.
        may_download: whether to fetch them where they are not on this machine.

    Returns:
        The weights, their file on this machine; None where the network learns from scratch.

    Raises:
        UsageError: they are wanted and cannot be had; the message tells how to put them there by hand.
    """
    weights = published(name)
    if weights is None:
        if wanted == "imagenet":
            raise UsageError(f"there are no ImageNet weights for {name}; leave out --weights to train from scratch")
        print(f"multicnn: there are no ImageNet weights for {name}; it trains from scratch", file=sys.stderr)
        return None
    path, reason = _find(weights), "they are not on this machine"
    if path is None and may_download:
        try:
            path = download(name)
        except MulticnnError as error:
            reason = str(error)
    if path is not None:
        return replace(weights, path=path)
    if wanted == "imagenet":
        raise UsageError(f"{_how_to_get(weights)} ({reason})")
    print(f"multicnn: no ImageNet weights for {name}, {reason}; it trains from scratch", file=sys.stderr)
    return None


def _find(weights: Weights) -> Path | None:
    return next((folder / weights.file for folder in folders() if (folder / weights.file).is_file()), None)


def _how_to_get(weights: Weights) -> str:
    first, own = folders()
    return (
        f"{weights.file} is neither in {first} nor in {own}; fetch {weights.url} elsewhere and copy it into one of them"
    )


def _sha256(file: str) -> str:
    """The first digits of the sha256, which PyTorch's files carry in their names: resnet18-f37072fd.pth."""
    return Path(file).stem.rpartition("-")[2]
