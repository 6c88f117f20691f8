"""Whatever torchvision has and the catalogue lacks."""

import inspect
from typing import Any

import torchvision
from torch import Tensor, nn

from multicnn.blocks.backbone import Network

# Their second heads help training a little and are in the way of everything else.
AUXILIARY = ("googlenet", "inception_v3")


def names() -> list[str]:
    """torchvision's classifiers."""
    there: list[str] = torchvision.models.list_models(module=torchvision.models)
    return there


class Classifier(Network):
    """One of torchvision's classifiers, with as many classes and channels as are wanted.

    It has a `head` (the last layer with weights) and `reset_head`, but no `features`: where they end differs from one
    of torchvision's networks to the next.

    Args:
        name: as torchvision.models.get_model knows it.
        classes: how many there are.
        channels: of the input; the first convolution is a fresh one where they are not 3.
        size: the input's height and width; vision transformers are built for one size, the others take many.
        options: further keyword arguments of torchvision's own class.

    Raises:
        TypeError: an option that torchvision's class does not have.
    """

    def __init__(
        self, name: str, classes: int, channels: int = 3, size: tuple[int, int] = (224, 224), **options: Any
    ) -> None:
        super().__init__()
        if name in AUXILIARY:
            options |= {"aux_logits": False, "init_weights": True}
        if name.startswith("vit_"):
            options = {"image_size": size[0]} | options
        self.network: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
        if channels != 3:
            self._replace(self._paths(nn.Conv2d)[0], in_channels=channels)

    def _paths(self, *kinds: type[nn.Module]) -> list[str]:
        """Where the layers of some kinds are, from the input to the output."""
        return [path for path, module in self.network.named_modules() if isinstance(module, kinds)]

    def _replace(self, path: str, **changes: int) -> None:
        """Puts a fresh layer with the same settings, but for the changes, in the place of another one."""
        old = self.network.get_submodule(path)
        settings = {key: getattr(old, key) for key in inspect.signature(type(old)).parameters if hasattr(old, key)}
        settings |= {"bias": old.bias is not None, **changes}
        self.network.set_submodule(path, type(old)(**settings))

    @property
    def head(self) -> nn.Module:
        """The layer that gives the logits: linear, or a 1x1 convolution as in SqueezeNet."""
        return self.network.get_submodule(self._paths(nn.Linear, nn.Conv2d)[-1])

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        key = "out_features" if isinstance(self.head, nn.Linear) else "out_channels"
        self._replace(self._paths(nn.Linear, nn.Conv2d)[-1], **{key: classes})

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width], normalised, to logits [batch, classes]."""
        logits: Tensor = self.network(x)
        return logits


def keywords(name: str) -> list[str]:
    """The keyword arguments of a torchvision network's own class, which the architecture's options may set."""
    parameters = inspect.signature(type(torchvision.models.get_model(name, weights=None)).__init__).parameters
    ours = ("self", "num_classes", "aux_logits", "init_weights", "kwargs")
    return [key for key in parameters if key not in ours]


def own_size(name: str) -> tuple[int, int]:
    """The size for which torchvision's own weights were trained."""
    side = torchvision.models.get_model_weights(name).DEFAULT.transforms().crop_size[0]
    return side, side
