"""ImageNet weights: which there are, where they lie, how they get there."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from multicnn.architectures import AUDIO
from multicnn.blocks.loading import LoadReport, load_into, open_weights
from multicnn.data.download import fetch, offline
from multicnn.data.files import user_cache
from multicnn.errors import MulticnnError, UsageError, tell
from multicnn.language.tree import is_pattern

__all__ = [
    "LoadReport",
    "Weights",
    "download",
    "expected_weights",
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
    *("linear", "lenet", "zfnet", "sppnet", "nin", "allconv", "resnet9", "airbench"),
    *("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    *("densenet_bc_100_12", "densenet_bc_190_40", "densenet_bc_250_24", "capsnet"),
)
# The papers' own training, whose files everybody knows; later recipes of torchvision go by the names V2, SWAG, ...
FIRST_VERSION = ("resnet", "densenet")


@dataclass(frozen=True, slots=True)
class Weights:
    """A published file of weights, and what its network expects to see.

    Attributes:
        name: of the network, as torchvision or timm has it.
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
        tensors = open_weights(self.path)
        return _as_timm_has_it(tensors, TIMM_CLASSIFIER[self.name]) if self.name in TIMM else tensors


# Figures from timm 1.0, timm/models/inception_v4.py and inception_resnet_v2.py: mean and deviation, size, and the size
# over crop_pct. The addresses are those of timm's releases on GitHub, for their files' names carry checksums.
TIMM_RELEASES = "https://github.com/rwightman/pytorch-image-models/releases/download"
TIMM = {
    weights.name: weights
    for weights in (
        Weights(
            "inception_v4",
            f"{TIMM_RELEASES}/v0.1-cadene/inceptionv4-8e4777a0.pth",
            *((0.5,) * 3, (0.5,) * 3, 299, 341, "bicubic"),
        ),
        Weights(
            "inception_resnet_v2",
            f"{TIMM_RELEASES}/v0.1-weights/inception_resnet_v2-940b1cd6.pth",
            *((0.5,) * 3, (0.5,) * 3, 299, 333, "bicubic"),
        ),
    )
}
TIMM_CLASSIFIER = {"inception_v4": "last_linear", "inception_resnet_v2": "classif"}


def published(name: str) -> Weights | None:
    """What torchvision publishes for an architecture, or timm where torchvision has none.

    Args:
        name: from the catalogue, torchvision:NAME or timm:NAME.

    Returns:
        Its weights, not looked for yet; None where there are none.
    """
    if name in NEVER_PUBLISHED or name in AUDIO or is_pattern(name):
        return None
    if name.removeprefix("timm:") in TIMM:
        return TIMM[name.removeprefix("timm:")]
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
    return [Path(torch.hub.get_dir()) / "checkpoints", user_cache() / "weights"]


def find_weights(name: str) -> Path | None:
    """Where an architecture's ImageNet weights lie on this machine; None where they do not, or there are none."""
    weights = published(name)
    return _find(weights) if weights else None


def download(name: str) -> Path:
    """Fetches an architecture's ImageNet weights into our own folder and tells it on stderr first.

    `MULTICNN_WEIGHTS_URL` names another server, which has all files in one folder, as download.pytorch.org/models.

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
    if offline():
        raise MulticnnError("MULTICNN_OFFLINE forbids downloads")
    mirror = os.environ.get("MULTICNN_WEIGHTS_URL")
    url = weights.url if not mirror else f"{mirror.rstrip('/')}/{weights.file}"
    return fetch(url, folders()[-1] / weights.file, f"sha256:{_sha256(weights.file)}")


def expected_weights(name: str, wanted: str) -> Weights | None:
    """The ImageNet weights with which a training is going to start, as far as can be told before any are fetched.

    Args:
        name: the architecture.
        wanted: `model.weights` of a recipe.

    Returns:
        None where there are none, none are wanted, or they are neither on this machine nor may be fetched.
    """
    weights = published(name) if wanted in ("auto", "imagenet") else None
    return weights if weights and (_find(weights) or not offline()) else None


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
        tell(f"there are no ImageNet weights for {name}; it trains from scratch")
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
    tell(f"no ImageNet weights for {name}, {reason}; it trains from scratch")
    return None


def _as_timm_has_it(tensors: dict[str, Tensor], classifier: str) -> dict[str, Tensor]:
    """Old files call the last layer last_linear, and have TensorFlow's class of backgrounds before the other 1000."""
    renamed = {re.sub(r"^(last_linear|classif)\.", f"{classifier}.", name): tensor for name, tensor in tensors.items()}
    return {
        name: tensor[1:] if name.startswith(f"{classifier}.") and len(tensor) == 1001 else tensor
        for name, tensor in renamed.items()
    }


def _find(weights: Weights) -> Path | None:
    return next((folder / weights.file for folder in folders() if (folder / weights.file).is_file()), None)


def _how_to_get(weights: Weights) -> str:
    first, own = folders()
    return (
        f"{weights.file} is neither in {first} nor in {own}; fetch {weights.url} elsewhere and copy it into one of them"
    )


def _sha256(file: str) -> str:
    """The first digits of the sha256, which these files carry in their names: resnet18-f37072fd.pth."""
    return Path(file).stem.rpartition("-")[2]
