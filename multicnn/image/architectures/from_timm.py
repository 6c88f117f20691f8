"""Whatever timm has and the catalogue lacks; timm is an extra: pip install 'multicnn[timm]'."""

from types import ModuleType
from typing import Any

from torch import Tensor, nn

from multicnn.blocks.backbone import Network
from multicnn.errors import UsageError


def _timm() -> ModuleType:
    """timm itself.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import timm
    except ImportError:
        raise UsageError("timm:NAME needs timm; install it with: pip install 'multicnn[timm]'") from None
    module: ModuleType = timm
    return module


class Classifier(Network):
    """One of timm's classifiers, with as many classes and channels as are wanted.

    Args:
        name: as timm.create_model knows it.
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; transformers are built for one size, the others take many.
        options: further keyword arguments of timm's own class.

    Raises:
        TypeError: an option that timm's class does not have.
    """

    def __init__(
        self, name: str, classes: int, channels: int = 3, size: tuple[int, int] = (224, 224), **options: Any
    ) -> None:
        super().__init__()
        create = _timm().create_model
        common = {"pretrained": False, "num_classes": classes, "in_chans": channels, **options}
        try:
            self.network: Any = create(name, img_size=size, **common)
        except TypeError:  # only networks that are built for one size take it
            self.network = create(name, **common)

    @property
    def head(self) -> nn.Module:
        """The layer that gives the logits."""
        head: nn.Module = self.network.get_classifier()
        return head

    def features(self, x: Tensor) -> Tensor:
        """Feature maps, before pooling and head."""
        maps: Tensor = self.network.forward_features(x)
        return maps

    def reset_head(self, classes: int) -> None:
        """Puts a fresh last layer in place of the old one."""
        self.network.reset_classifier(classes)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width], normalised, to logits [batch, classes]."""
        logits: Tensor = self.network(x)
        return logits


def names() -> list[str]:
    """timm's classifiers."""
    there: list[str] = _timm().list_models()
    return there


def keywords(name: str) -> list[str] | None:
    """None: timm checks a network's options itself, when it builds it."""
    return None


def own_size(name: str) -> tuple[int, int]:
    """The size for which timm's own weights were trained."""
    _, height, width = _timm().get_pretrained_cfg(name, allow_unregistered=False).input_size
    return height, width
