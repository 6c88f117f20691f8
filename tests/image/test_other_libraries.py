"""torchvision:NAME and timm:NAME: whatever the catalogue lacks."""

import pytest
import torch

from multicnn.architectures import build_image
from multicnn.errors import UsageError


@pytest.mark.parametrize(
    ("name", "size"), [("torchvision:squeezenet1_1", 64), ("timm:resnet10t", 64), ("timm:vit_tiny_patch16_224", 32)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_classes_channels_and_size_are_as_wanted(name: str, size: int, channels: int) -> None:
    if name.startswith("timm"):
        pytest.importorskip("timm")
    network = build_image(name, classes=5, channels=channels, size=(size, size)).eval()
    x = torch.randn(2, channels, size, size)
    assert network(x).shape == (2, 5)
    network.reset_head(3)
    assert network(x).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torchvision:resnet81", "did you mean resnet18"),
        ("timm:resnet10", "did you mean resnet"),
        ("keras:vgg16", "there is no image architecture keras:vgg16"),
    ],
)
def test_an_unknown_name_gives_the_nearest(name: str, message: str) -> None:
    if name.startswith("timm"):
        pytest.importorskip("timm")
    with pytest.raises(UsageError, match=message):
        build_image(name, classes=2)


def test_an_option_that_timm_does_not_know_is_refused() -> None:
    pytest.importorskip("timm")
    with pytest.raises(UsageError, match="timm:resnet10t"):
        build_image("timm:resnet10t", classes=2, size=(64, 64), options={"no_such_option": 1})
