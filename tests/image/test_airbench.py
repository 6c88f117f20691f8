"""airbench's network: its source's figures and layers, and what is measured before it learns."""

from pathlib import Path

import pytest
import torch
from conftest import Cli
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from multicnn.architectures import build_image
from multicnn.blocks.arithmetic import parameter_count
from multicnn.errors import UsageError
from multicnn.image.architectures.airbench import AirBench, DiracConvolution

SMALL = {"widths": [8, 12, 16]}


def learned(widths: tuple[int, ...], depth: int) -> int:
    """Parameters that learn, as the published scripts count: biases of 24 + norms, kernels, a head for ten classes."""
    total, width = 24 + 10 * widths[-1], 24
    for wider in widths:
        total += 9 * wider * (width + (depth - 1) * wider) + depth * wider
        width = wider
    return total


@pytest.mark.parametrize(
    ("widths", "depth"), [((64, 256, 256), 2), ((128, 384, 384), 2), ((128, 384, 512), 3)], ids=["94", "95", "96"]
)
def test_parameters_are_those_of_the_source(widths: tuple[int, ...], depth: int) -> None:
    with torch.device("meta"):
        network = build_image("airbench", classes=10, size=(32, 32), options={"widths": list(widths), "depth": depth})
    learns = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    assert learns == learned(widths, depth)
    assert parameter_count(network) == learns + 24 * 12 + depth * sum(widths)  # filters that are measured, scales of 1


def by_hand(network: AirBench, x: Tensor, depth: int) -> Tensor:
    """The source's forward pass in evaluation, written out with its weights."""
    weights = network.state_dict()

    def norm(y: Tensor, name: str) -> Tensor:
        mean, var, shift = (weights[f"{name}.{key}"] for key in ("running_mean", "running_var", "bias"))
        return (y - mean[:, None, None]) / (var[:, None, None] + 1e-5).sqrt() + shift[:, None, None]

    y = functional.gelu(functional.conv2d(x, weights["features.whiten.weight"], weights["features.whiten.bias"]))
    for group in ("features.group1", "features.group2", "features.group3"):
        y = functional.max_pool2d(functional.conv2d(y, weights[f"{group}.change.conv.weight"], padding=1), 2)
        y = first = functional.gelu(norm(y, f"{group}.change.norm"))
        for number in range(depth - 1):
            y = functional.gelu(y) if number else y
            y = functional.conv2d(y, weights[f"{group}.keep.{3 * number}.weight"], padding=1)
            y = norm(y, f"{group}.keep.{3 * number + 1}")
        y = functional.gelu(first + y if depth > 2 else y)
    return functional.max_pool2d(y, 3).flatten(1) @ weights["head.linear.weight"].T / 9


@pytest.mark.parametrize("depth", [2, 3])
def test_agrees_with_the_sources_layers(depth: int) -> None:
    torch.manual_seed(0)
    network = AirBench(10, widths=(8, 12, 16), depth=depth)
    x = torch.randn(8, 3, 32, 32)
    network.calibrate([x])
    network(x)  # batch normalisation has seen something
    torch.testing.assert_close(network.eval()(x), by_hand(network, x, depth), atol=1e-5, rtol=1e-4)


def test_a_convolution_starts_by_passing_its_input_on() -> None:
    conv, x = DiracConvolution(3, 5), torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(conv(x)[:, :3], x)
    assert DiracConvolution(5, 3).weight.count_nonzero() == 3


@pytest.mark.parametrize(
    ("channels", "size", "maps"),
    [
        (1, (28, 28), (3, 3)),
        (3, (9, 9), (1, 1)),
        (2, (64, 64), (7, 7)),
        (3, (224, 224), (7, 7)),
        (1, (40, 300), (4, 9)),
    ],
)
def test_other_sizes_and_channels(channels: int, size: tuple[int, int], maps: tuple[int, int]) -> None:
    network = build_image("airbench", classes=5, channels=channels, size=size, options=SMALL)
    x = torch.randn(2, channels, *size)
    network.calibrate([x])
    assert network.features(x).shape == (2, 16, *maps)
    assert network(x).shape == (2, 5)


def test_everything_learns_but_what_was_measured_and_the_scales() -> None:
    network = build_image("airbench", classes=3, size=(32, 32), options=SMALL | {"depth": 3})
    nn.functional.cross_entropy(network(torch.randn(4, 3, 32, 32)), torch.tensor([0, 1, 2, 0])).backward()
    still = {key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()}
    frozen = {key for key, weight in network.named_parameters() if not weight.requires_grad}
    assert still == frozen
    assert all(key == "features.whiten.weight" or ".norm." in key or ".keep." in key for key in frozen)


@pytest.mark.parametrize(
    ("options", "size", "message"),
    [
        ({}, (8, 40), "8 x 40 is too small, it takes 9 x 9 or more"),
        ({"widths": [64, 256]}, (32, 32), r"three groups, such as \[64, 256, 256\], not \[64, 256\]"),
        ({"widths": 64}, (32, 32), "three groups"),
        ({"widths": [0, 1, 1]}, (32, 32), "channels cannot be"),
        ({"depth": 1}, (32, 32), "2 or more, not 1"),
        ({"newest": 0.0}, (32, 32), "newest is a share"),
    ],
)
def test_what_cannot_be_built_is_told(options: dict[str, object], size: tuple[int, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_image("airbench", classes=2, size=size, options=options)


def filters(run: Path) -> Tensor:
    return load_file(run / "model" / "weights.safetensors")["network.features.whiten.weight"]


def test_training_measures_the_first_layer_once_and_a_later_run_keeps_it(
    cli: Cli, pictures: Path, few_pictures: Path, tmp_path: Path
) -> None:
    common = ("--arch", "airbench", "--set", "model.options.widths=[8,12,16]", "--epochs", "2", "--batch-size", "16")
    first = cli("train", "image", pictures, *common, "--output", tmp_path / "first")
    assert first.returncode == 0, first.stderr
    measured = filters(tmp_path / "first")
    torch.testing.assert_close(measured[:12], -measured[12:])
    products = measured[:12].flatten(1) @ measured[:12].flatten(1).T
    torch.testing.assert_close(products, products.diag().diag(), atol=1e-3, rtol=0)  # orthogonal, of unequal lengths
    second = cli("train", "image", few_pictures, *common, "--weights", tmp_path / "first", "-o", tmp_path / "second")
    assert second.returncode == 0, second.stderr
    assert torch.equal(filters(tmp_path / "second"), measured)
