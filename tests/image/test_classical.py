"""The contract for the classical networks: the baseline, AlexNet to ConvNeXt, and those of CIFAR's size."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load, save
from torch import Tensor, nn

from multicnn.architectures import build_image, names
from multicnn.blocks.arithmetic import parameter_count, run_on_meta
from multicnn.blocks.loading import load_into
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.errors import UsageError
from multicnn.image.architectures.resnet_cifar import ZeroShortcut
from multicnn.image.weights import NEVER_PUBLISHED, published
from tests.image import test_architectures as first

# The papers' and torchvision's figures, with 1000 classes.
PHOTOGRAPHS = {
    "alexnet": 61_100_840,
    "zfnet": 62_357_608,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "inception_v3": 23_834_568,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
    "mobilenet_v2": 3_504_872,
    "convnext_tiny": 28_589_128,
}
# With 10 classes.
CIFAR = {
    "linear": 30_730,
    "nin": 966_986,
    "allconv": 1_369_738,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
    "densenet_bc_100_12": 769_162,
    "densenet_bc_190_40": 25_624_430,
    "densenet_bc_250_24": 15_324_406,
}
# The smallest inputs; the others take 1 x 1.
SMALLEST_SIDE = {
    "alexnet": 63,
    "zfnet": 53,
    **dict.fromkeys([name for name in PHOTOGRAPHS if name.startswith("vgg")], 32),
    "googlenet": 15,
    "inception_v3": 75,
    "squeezenet1_0": 21,
    "squeezenet1_1": 17,
    "convnext_tiny": 32,
    "allconv": 9,
    **dict.fromkeys([name for name in CIFAR if name.startswith("densenet")], 4),
}
IN_TORCHVISION = [name for name in PHOTOGRAPHS if name != "zfnet"]

# One of each family, with what makes it small and its training exact.
FAMILIES: dict[str, dict[str, Any]] = {
    "linear": {},
    "alexnet": {"hidden": 48, "dropout": 0.0},
    "zfnet": {"hidden": 48, "dropout": 0.0},
    "nin": {"dropout": 0.0},
    "allconv": {"input_dropout": 0.0, "dropout": 0.0},
    "vgg11": {"hidden": 48, "dropout": 0.0},
    "vgg11_bn": {"hidden": 48, "dropout": 0.0},
    "googlenet": {"dropout": 0.0},
    "inception_v3": {"dropout": 0.0},
    "resnet20": {},
    "densenet_bc_100_12": {},
    "squeezenet1_1": {"dropout": 0.0},
    "mobilenet_v2": {"dropout": 0.0},
    "convnext_tiny": {"stochastic_depth": 0.0},
}
QUICK = [name for name in FAMILIES if name not in ("inception_v3", "convnext_tiny", "vgg11")]


def picture(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def smallest(name: str) -> int:
    return SMALLEST_SIDE.get(name, 1)


def small(name: str, side: int | None = None, *, classes: int = 4, channels: int = 3) -> Any:
    """A family's network for pictures of its smallest side, 16 at least."""
    torch.manual_seed(0)
    side = side or max(16, smallest(name))
    return build_image(name, classes=classes, channels=channels, size=(side, side), options=FAMILIES[name])


def test_every_architecture_has_a_count() -> None:
    assert sorted(names("image")) == sorted([*first.PARAMETERS, *PHOTOGRAPHS, *CIFAR])


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *CIFAR])
def test_parameter_count_is_the_published_one(name: str) -> None:
    with torch.device("meta"):
        if name in CIFAR:
            assert parameter_count(build_image(name, classes=10, size=(32, 32))) == CIFAR[name]
        else:
            assert parameter_count(build_image(name, classes=1000)) == PHOTOGRAPHS[name]


def test_alexnet_can_be_the_original() -> None:
    with torch.device("meta"):
        original = build_image("alexnet", classes=1000, options={"edition": "2012"})
    assert parameter_count(original) == 62_378_344
    assert sum(type(module).__name__ == "LocalResponseNorm" for module in original.features) == 2


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *CIFAR])
def test_takes_every_size_from_the_smallest_on_and_no_smaller(name: str) -> None:
    side = smallest(name)
    with torch.device("meta"):
        for size in ((side, side), (side + 1, side + 6), (side + 40, side + 3)):
            network = build_image(name, classes=5, channels=2, size=size).eval()
            assert network(torch.empty(3, 2, *size)).shape == (3, 5)
        if side > 1:
            with pytest.raises(UsageError, match=f"{name} does not take inputs of {side - 1} x {side}; its own size"):
                build_image(name, classes=5, size=(side - 1, side))


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *CIFAR])
def test_a_network_for_one_size_takes_others_too(name: str) -> None:
    if name == "linear":
        pytest.skip("its weights belong to pixels")
    with torch.device("meta"):
        network = build_image(name, classes=5, size=(96, 96)).eval()
        assert run_on_meta(network, torch.empty(2, 3, 100, 128)).shape == (2, 5)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("channels", [1, 3])
def test_features_and_head_make_the_network(name: str, channels: int) -> None:
    network = small(name, channels=channels).eval()
    x = picture(2, channels, *[max(16, smallest(name))] * 2)
    maps = network.features(x)
    assert maps.ndim == 4
    assert network(x).isfinite().all()
    torch.testing.assert_close(network.head(maps), network(x))


@pytest.mark.parametrize("name", QUICK)
def test_backward_reaches_every_parameter(name: str) -> None:
    network = small(name, max(24, smallest(name)), classes=3)
    side = max(24, smallest(name))
    nn.functional.cross_entropy(network(picture(6, 3, side, side)), torch.arange(6) % 3).backward()
    lost = [key for key, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert lost == []


@pytest.mark.parametrize("name", QUICK)
def test_a_saved_network_gives_the_same_answers(name: str) -> None:
    network, other = small(name), small(name)
    x = picture(4, 3, *[max(16, smallest(name))] * 2)
    network(x)  # batch normalisation has seen something
    other.load_state_dict(load(save(network.state_dict())))
    assert torch.equal(network.eval()(x), other.eval()(x))


@pytest.mark.parametrize("name", QUICK)
def test_one_seed_gives_one_network_and_one_training_step(name: str) -> None:
    side = max(16, smallest(name))

    def step() -> list[Tensor]:
        torch.manual_seed(7)
        options = {key: value for key, value in FAMILIES[name].items() if "dropout" not in key}
        network = build_image(name, classes=3, size=(side, side), options=options)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
        network(picture(4, 3, side, side)).square().sum().backward()
        optimiser.step()
        return list(network.state_dict().values())

    assert all(torch.equal(a, b) for a, b in zip(step(), step(), strict=True))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAMILIES]
)
def test_learns_a_few_pictures_by_heart_from_scratch(name: str) -> None:
    side = max(16, smallest(name))
    network = small(name)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    x, truth = picture(8, 3, side, side), torch.arange(8) % 4
    start = last = nn.functional.cross_entropy(network(x), truth)
    assert start.item() < 4  # a good start is near ln 4 = 1.4
    for _ in range(25):
        optimiser.zero_grad()
        last = nn.functional.cross_entropy(network(x), truth)
        last.backward()
        optimiser.step()
    assert last.item() < start.item() / 2


@pytest.mark.parametrize("name", FAMILIES)
def test_the_head_can_be_changed_and_only_the_head(name: str) -> None:
    network = small(name, classes=3)
    before = copy.deepcopy(network.state_dict())
    network.reset_head(7)
    changed = [key for key, tensor in network.state_dict().items() if not torch.equal(tensor, before[key])]
    assert {tensor.shape[0] for key, tensor in network.state_dict().items() if key in changed} == {7}
    side = max(16, smallest(name))
    assert network.eval()(picture(2, 3, side, side)).shape == (2, 7)


def onnx_agrees(network: nn.Module, side: int) -> None:
    """Exports for batches of any size and compares with ONNX Runtime's answers."""
    import onnxruntime as ort

    network(picture(4, 3, side, side))
    network.eval()
    program = torch.onnx.export(
        network,
        (picture(2, 3, side, side),),
        dynamo=True,
        opset_version=18,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    session = ort.InferenceSession(program.model_proto.SerializeToString())
    for batch in (1, 3):
        x = picture(batch, 3, side, side, seed=batch)
        (logits,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        expected = network(x).detach().numpy()
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAMILIES]
)
def test_onnx_runtime_agrees_at_any_batch_size(name: str) -> None:
    side = max(64, smallest(name))
    onnx_agrees(small(name, side), side)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FAMILIES if name in PHOTOGRAPHS])
def test_onnx_runtime_agrees_at_the_networks_own_size(name: str) -> None:
    side = 299 if name == "inception_v3" else 224
    onnx_agrees(small(name, side), side)


def theirs(name: str, classes: int, **options: Any) -> nn.Module:
    """torchvision's network, without values."""
    if name in ("googlenet", "inception_v3"):
        options |= {"aux_logits": False, "init_weights": False, "transform_input": False}
    with torch.device("meta"):
        network: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
        return network


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_names_and_shapes_of_the_weights_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        ours = build_image(name, classes=1000, size=(299, 299)).state_dict()
    expected = theirs(name, 1000).state_dict()
    assert {key: tensor.shape for key, tensor in ours.items()} == {
        key: tensor.shape for key, tensor in expected.items()
    }


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", [name for name in (*FAMILIES, "squeezenet1_0") if name in IN_TORCHVISION])
def test_gives_torchvisions_answers_with_the_same_weights(name: str, training: bool) -> None:
    options = FAMILIES.get(name, {"dropout": 0.0})
    size = (max(66, smallest(name)), max(64, smallest(name)) + 7)
    torch.manual_seed(0)
    ours = build_image(name, classes=9, size=size, options=options).double()
    for key, parameter in ours.named_parameters():
        if key.endswith("layer_scale"):
            nn.init.uniform_(parameter)  # at its start ConvNeXt's blocks hardly answer
    ours(picture(4, 3, *size, dtype=torch.float64))  # running means that are not 0 and 1
    rate = {"convnext_tiny": "stochastic_depth_prob"}.get(name, "dropout")
    other = theirs(name, 9, **{rate: 0.0})
    if "hidden" in options:
        linear = [layer for layer in ours.classifier if isinstance(layer, nn.Linear)]
        places = [place for place, layer in enumerate(other.classifier) if isinstance(layer, nn.Linear)]
        for place, layer in zip(places, linear, strict=True):
            other.classifier[place] = nn.Linear(layer.in_features, layer.out_features)
    other.load_state_dict(copy.deepcopy(ours.state_dict()), assign=True)
    x = picture(2, 3, *size, seed=1, dtype=torch.float64)
    a, b = ours.train(training)(x), other.train(training)(x)
    assert ((a - b).abs().max() / b.abs().max()).item() < 1e-8
    for key, tensor in other.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], tensor, rtol=1e-8, atol=1e-12)


def test_imagenet_weights_are_known_by_name() -> None:
    for name in IN_TORCHVISION:
        weights = published(name)
        assert weights is not None, name
        assert weights == published(f"torchvision:{name}")
    there = torchvision.models.list_models(module=torchvision.models)
    assert [name for name in names("image") if name not in there] == sorted(NEVER_PUBLISHED, key=names("image").index)


@pytest.mark.parametrize(("name", "prefix"), [("googlenet", "aux"), ("inception_v3", "AuxLogits")])
def test_published_weights_with_auxiliary_heads_load_without_them(name: str, prefix: str) -> None:
    file = torchvision.models.get_model(name, weights=None, init_weights=False).state_dict()
    ours = build_image(name, classes=1000, size=(299, 299))
    report = load_into(ours, file)
    assert (report.missing, report.mismatched) == ([], [])
    assert report.unexpected
    assert all(key.startswith(prefix) for key in report.unexpected)


@pytest.mark.parametrize("stem", ["small", "imagenet"])
def test_mobilenets_small_stem_keeps_the_resolution_and_the_weights(stem: str) -> None:
    with torch.device("meta"):
        network = build_image("mobilenet_v2", classes=5, size=(32, 32), options={"stem": stem}).eval()
        assert network.features(torch.empty(1, 3, 32, 32)).shape[2] == {"small": 4, "imagenet": 1}[stem]
        auto = build_image("mobilenet_v2", classes=5, size=(32, 32)).eval()
        assert auto.features(torch.empty(1, 3, 32, 32)).shape[2] == 4
    assert {key: tensor.shape for key, tensor in network.state_dict().items()} == {
        key: tensor.shape for key, tensor in theirs("mobilenet_v2", 5).state_dict().items()
    }


def test_a_linear_classifiers_score_is_its_templates_fit() -> None:
    network = build_image("linear", classes=3, channels=2, size=(4, 5))
    x = picture(2, 2, 4, 5)
    fit = [[(picture_ * template).sum() for template in network.templates] for picture_ in x]
    expected = torch.tensor(fit) + network.head.linear.bias
    torch.testing.assert_close(network(x), expected)


def test_the_shortcut_without_weights_takes_every_second_pixel_and_adds_zeros() -> None:
    x = picture(2, 3, 5, 4)
    y = ZeroShortcut(2, stride=2)(x)
    assert y.shape == (2, 5, 3, 2)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert not y[:, 3:].any()


@pytest.mark.parametrize("length", range(2, 12))
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2)])
def test_pooling_that_rounds_up_loses_nothing(kernel: int, stride: int, length: int) -> None:
    x = picture(1, 1, length, length).numpy()
    pooled = CeilMaxPool(kernel, stride)(torch.from_numpy(x)).numpy()
    starts = range(0, max(1, length - kernel + stride), stride)
    expected = [[x[0, 0, i : i + kernel, j : j + kernel].max() for j in starts] for i in starts]
    np.testing.assert_array_equal(pooled[0, 0], expected)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("alexnet", {"edition": "2013"}, "alexnet: edition is 2012 or 2014, not 2013"),
        ("convnext_tiny", {"stochastic_depth": 1.0}, "convnext_tiny: dropout is a share from 0 to below 1, not 1.0"),
        ("mobilenet_v2", {"stem": "smal"}, r"mobilenet_v2: there is no stem smal; did you mean small\?"),
        ("linear", {"width": 3}, "linear has no option width; it has none"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_image(name, classes=2, options=options)
