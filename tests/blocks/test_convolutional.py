"""A head that became convolutional: its own answers on its own size, and one for each place beyond it."""

import copy
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torchvision
from block_checks import assert_same_in_onnx
from torch import Tensor, nn

from multicnn.architectures import build_image
from multicnn.blocks.activation import GLU, activation
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.convolutional import convolutional, sliding
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm, LayerNorm
from multicnn.blocks.pooling import GlobalAveragePool, GlobalMaxPool, KMaxPool
from multicnn.blocks.pooling_regions import AdaptivePool, SpatialPyramidPool


def vgg_head(places: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(6 * places, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 5)
    )


def averaging_head() -> nn.Sequential:
    return nn.Sequential(GlobalAveragePool(), Dropout(0.5), nn.Linear(6, 5))


def modern_head() -> nn.Sequential:
    norm, first = LayerNorm(6, each_place=True), nn.Linear(6, 8)
    return nn.Sequential(
        nn.Dropout2d(), GlobalAveragePool(), norm, first, nn.ReLU6(), nn.Linear(8, 8), nn.Hardswish(), nn.Linear(8, 5)
    )


def nested_head() -> nn.Sequential:
    first = nn.Sequential(nn.Flatten(), nn.Linear(6 * 12, 8, bias=False), nn.BatchNorm1d(8), activation("silu"))
    return nn.Sequential(OrderedDict(first=first, last=nn.Linear(8, 5)))


def windows_answers(head: nn.Module, maps: Tensor, sides: tuple[int, ...]) -> np.ndarray:
    """The head's logits on each window of the maps, one after the other."""
    places = [whole - side + 1 for whole, side in zip(maps.shape[2:], sides, strict=True)]
    answers = np.empty((len(maps), 5, *places))
    for place in np.ndindex(*places):
        window = maps[(slice(None), slice(None), *(slice(p, p + s) for p, s in zip(place, sides, strict=True)))]
        answers[(slice(None), slice(None), *place)] = head(window).detach().numpy()
    return answers


@pytest.mark.parametrize(
    ("head", "sides"),
    [
        (vgg_head(4), (4,)),
        (vgg_head(12), (3, 4)),
        (vgg_head(12), (3, 2, 2)),
        (vgg_head(1), (1, 1)),
        (averaging_head(), (3, 4)),
        (averaging_head(), (5,)),
        (nn.Sequential(GlobalMaxPool(), nn.Linear(6, 5)), (3, 4)),
        (nn.Sequential(AdaptivePool(1, reduce="average"), nn.Flatten(), nn.Linear(6, 5)), (3, 4)),
        (nn.Sequential(nn.AdaptiveAvgPool2d((3, 4)), vgg_head(12)), (3, 4)),
        (nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 5)), (3, 4)),
        (nn.Sequential(nn.Conv2d(6, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()), (3, 4)),
        (nn.Sequential(nn.Flatten(), nn.Linear(72, 8), GLU(), nn.Linear(4, 5)), (3, 4)),
        (nested_head(), (3, 4)),
        (modern_head(), (3, 4)),
    ],
)
def test_answers_like_the_head_on_its_own_size_and_on_every_window(head: nn.Module, sides: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    head = head.double()
    head(torch.randn(8, 6, *sides, dtype=torch.float64))  # a batch normalisation has seen something
    head.eval()
    slid = convolutional(head, (6, *sides))
    maps = torch.randn(2, 6, *sides, dtype=torch.float64)
    assert slid(maps).shape == (2, 5, *[1] * len(sides))
    torch.testing.assert_close(slid(maps).flatten(1), head(maps), rtol=1e-10, atol=1e-12)
    larger = torch.randn(2, 6, *[side + 2 for side in sides], dtype=torch.float64)
    np.testing.assert_allclose(slid(larger).detach().numpy(), windows_answers(head, larger, sides), atol=1e-12)


def test_names_and_numbers_of_the_weights_stay_and_the_head_too() -> None:
    head = nested_head()
    before = copy.deepcopy(head.state_dict())
    slid = convolutional(head, (6, 3, 4))
    assert {key: tensor.numel() for key, tensor in slid.state_dict().items()} == {
        key: tensor.numel() for key, tensor in before.items()
    }
    for parameter in slid.parameters():
        nn.init.zeros_(parameter)
    assert all(torch.equal(tensor, before[key]) for key, tensor in head.state_dict().items())
    assert [type(layer) for layer in slid.first] == [nn.Identity, Convolution, BatchNorm, nn.SiLU]


def test_goes_on_learning() -> None:
    slid = convolutional(vgg_head(12), (6, 3, 4))
    slid(torch.randn(4, 6, 5, 5)).square().sum().backward()
    assert slid.training
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in slid.parameters())


@pytest.mark.parametrize(
    ("name", "channels", "size", "more"),
    [
        ("lenet", 1, (28, 28), 8),
        ("lenet", 1, (32, 32), 8),
        ("lenet", 3, (64, 48), 16),
        ("resnet9", 3, (32, 32), 16),
        ("resnet18", 3, (32, 32), 16),
        ("densenet121", 3, (32, 32), 32),
        ("convnext_tiny", 3, (32, 32), 32),
    ],
)
def test_networks_of_the_catalogue_slide(name: str, channels: int, size: tuple[int, int], more: int) -> None:
    torch.manual_seed(0)
    network = build_image(name, classes=5, channels=channels, size=size).eval()
    slid = sliding(network, (channels, *size))
    x = torch.randn(2, channels, *size)
    with torch.no_grad():
        answers = slid(x)
        assert not any(module.training for module in slid.modules() if isinstance(module, (BatchNorm, Dropout)))
        assert answers.shape == (2, 5, 1, 1)
        torch.testing.assert_close(answers.flatten(1), network(x), rtol=1e-4, atol=1e-5)
        larger = slid(torch.randn(1, channels, size[0] + more, size[1] + 2 * more))
    assert min(larger.shape[2:]) > 1


def test_lenets_places_answer_like_lenet_on_each_crop() -> None:
    torch.manual_seed(0)
    network = build_image("lenet", classes=5, channels=1, size=(32, 32)).eval()
    x = torch.randn(1, 1, 40, 44)  # no padding anywhere, and a step of 4 pixels
    answers = sliding(network, (1, 32, 32))(x)
    assert answers.shape == (1, 5, 3, 4)
    for i, j in np.ndindex(3, 4):
        crop = x[..., 4 * i : 4 * i + 32, 4 * j : 4 * j + 32]
        torch.testing.assert_close(answers[..., i, j], network(crop), rtol=1e-4, atol=1e-5)


def test_torchvisions_alexnet_head_slides() -> None:
    torch.manual_seed(0)
    network = torchvision.models.alexnet(weights=None, num_classes=5).eval()
    head = nn.Sequential(network.avgpool, nn.Flatten(), network.classifier)
    slid = convolutional(head, (256, 6, 6))
    maps = torch.rand(1, 256, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(slid(maps).flatten(1), head(maps), rtol=1e-4, atol=1e-5)
        assert slid(torch.rand(1, 256, 8, 7)).shape == (1, 5, 3, 2)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(70, 5)), "70 inputs does not fit maps of 6 x 3 x 4"),
        (nn.Sequential(nn.Flatten(2), nn.Linear(72, 5)), "not of 2 to -1"),
        (nn.Sequential(nn.Flatten(), BatchNorm(72), nn.Linear(72, 5)), "BatchNorm does not fit maps of 6 x 3 x 4"),
        (nn.Sequential(nn.Flatten(), nn.BatchNorm1d(72), nn.Linear(72, 5)), "BatchNorm1d has no form"),
        (nn.Sequential(KMaxPool(2)), "KMaxPool has no form"),
        (nn.Sequential(SpatialPyramidPool()), "SpatialPyramidPool has no form"),
        (nn.Sequential(nn.AdaptiveAvgPool2d((2, 4))), "uneven"),
        (nn.Sequential(LayerNorm(6)), "LayerNorm has no form"),
        (nn.Sequential(AdaptivePool(1, reduce="min")), "minima"),
    ],
)
def test_refuses_what_cannot_slide(head: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convolutional(head, (6, 3, 4))


def test_onnx_agrees_at_any_size() -> None:
    slid = convolutional(nn.Sequential(vgg_head(12)), (6, 3, 4))
    assert_same_in_onnx(slid, torch.randn(2, 6, 5, 7), torch.randn(3, 6, 8, 9), free=(0, 2, 3))
