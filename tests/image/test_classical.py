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
from multicnn.blocks.loss import loss
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.catalogue import lasting_parameters
from multicnn.errors import UsageError
from multicnn.image.architectures.resnet_cifar import ZeroShortcut
from multicnn.image.weights import NEVER_PUBLISHED, published
from tests.image import test_architectures as first

# Table 1 of SPP-net's paper: five convolutions, then 50 regions of 256 channels, two hidden layers, the classes.
SPPNET_FEATURES = (
    (96 * 3 * 7 * 7 + 96)
    + (256 * 96 * 5 * 5 + 256)
    + (384 * 256 * 3 * 3 + 384)
    + (384 * 384 * 3 * 3 + 384)
    + (256 * 384 * 3 * 3 + 256)
)
SPPNET_HEAD = (
    ((6 * 6 + 3 * 3 + 2 * 2 + 1) * 256 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 1000 + 1000)
)  # fc6, fc7, fc8

# The papers' and torchvision's figures, with 1000 classes and without auxiliary heads.
PHOTOGRAPHS = {
    "alexnet": 61_100_840,
    "zfnet": 62_357_608,
    "sppnet": SPPNET_FEATURES + SPPNET_HEAD,
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
    "inception_v4": 42_679_816,
    "inception_resnet_v2": 55_843_464,
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
    "airbench": 1_972_792,
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
# With 10 classes and one channel of 28 x 28.
DIGITS = {"capsnet": 8_215_568}
# The smallest inputs; the others take 1 x 1.
SMALLEST_SIDE = {
    "airbench": 9,
    "alexnet": 63,
    "zfnet": 53,
    "sppnet": 21,
    **dict.fromkeys([name for name in PHOTOGRAPHS if name.startswith("vgg")], 32),
    "googlenet": 15,
    **dict.fromkeys(("inception_v3", "inception_v4", "inception_resnet_v2"), 75),
    "capsnet": 17,
    "squeezenet1_0": 21,
    "squeezenet1_1": 17,
    "convnext_tiny": 32,
    "allconv": 9,
    **dict.fromkeys([name for name in CIFAR if name.startswith("densenet")], 4),
}
IN_TIMM = ["inception_v4", "inception_resnet_v2"]
IN_TORCHVISION = [name for name in PHOTOGRAPHS if name not in ("zfnet", "sppnet", *IN_TIMM)]
WITH_AUXILIARY_HEADS = {"googlenet": 13_004_888, "inception_v3": 27_161_264}
FOR_ONE_SIZE = ("linear", "capsnet")  # their weights belong to places

# One of each family, with what makes it small and its training exact.
FAMILIES: dict[str, dict[str, Any]] = {
    "linear": {},
    "alexnet": {"hidden": 48, "dropout": 0.0},
    "zfnet": {"hidden": 48, "dropout": 0.0},
    "sppnet": {"hidden": 48, "dropout": 0.0},
    "nin": {"dropout": 0.0},
    "allconv": {"input_dropout": 0.0, "dropout": 0.0},
    "vgg11": {"hidden": 48, "dropout": 0.0},
    "vgg11_bn": {"hidden": 48, "dropout": 0.0},
    "googlenet": {"dropout": 0.0, "auxiliary_dropout": 0.0},
    "inception_v3": {"dropout": 0.0},
    "inception_v4": {"dropout": 0.0},
    "inception_resnet_v2": {"dropout": 0.0},
    "resnet20": {},
    "densenet_bc_100_12": {},
    "squeezenet1_1": {"dropout": 0.0},
    "mobilenet_v2": {"dropout": 0.0},
    "convnext_tiny": {"stochastic_depth": 0.0},
    "capsnet": {},
}
SLOW = ("inception_v3", *IN_TIMM, "convnext_tiny", "vgg11", "densenet_bc_100_12")
QUICK = [name for name in FAMILIES if name not in SLOW]


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
    assert sorted(names("image")) == sorted([*first.PARAMETERS, *PHOTOGRAPHS, *CIFAR, *DIGITS])


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *CIFAR, *DIGITS])
def test_parameter_count_is_the_published_one(name: str) -> None:
    with torch.device("meta"):
        if name in CIFAR:
            assert parameter_count(build_image(name, classes=10, size=(32, 32))) == CIFAR[name]
        elif name in DIGITS:
            assert parameter_count(build_image(name, classes=10, channels=1, size=(28, 28))) == DIGITS[name]
        else:
            assert lasting_parameters(build_image(name, classes=1000)) == PHOTOGRAPHS[name]


def test_alexnet_can_be_the_original() -> None:
    with torch.device("meta"):
        original = build_image("alexnet", classes=1000, options={"edition": "2012"})
    assert parameter_count(original) == 62_378_344
    assert sum(type(module).__name__ == "LocalResponseNorm" for module in original.features) == 2


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *CIFAR, *DIGITS])
def test_takes_every_size_from_the_smallest_on_and_no_smaller(name: str) -> None:
    side = smallest(name)
    with torch.device("meta"):
        for size in ((side, side), (side + 1, side + 6), (side + 40, side + 3)):
            network = build_image(name, classes=5, channels=2, size=size).eval()
            assert network(torch.empty(3, 2, *size)).shape == (3, 5)
        if side > 1:
            with pytest.raises(UsageError, match=f"{name}(:| does not take inputs of) {side - 1} x {side}"):
                build_image(name, classes=5, size=(side - 1, side))


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *CIFAR])
def test_a_network_for_one_size_takes_others_too(name: str) -> None:
    if name in FOR_ONE_SIZE:
        pytest.skip("its weights belong to places")
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
    network.training_loss(picture(6, 3, side, side), torch.arange(6) % 3, loss(network.loss))[1].backward()
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
    criterion = loss(network.loss)
    start = last = network.training_loss(x, truth, criterion)[1]
    assert start.item() < 4  # a good start is near ln 4 = 1.4
    for _ in range(25):
        optimiser.zero_grad()
        last = network.training_loss(x, truth, criterion)[1]
        last.backward()
        optimiser.step()
    assert last.item() < start.item() / 2


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "capsnet"])
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
    side = 299 if name in ("inception_v3", *IN_TIMM) else 224
    onnx_agrees(small(name, side), side)


def theirs(name: str, classes: int, **options: Any) -> nn.Module:
    """torchvision's network, without values."""
    if name in ("googlenet", "inception_v3"):
        options = {"aux_logits": True} | options | {"init_weights": False, "transform_input": False}
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
    options = dict(FAMILIES.get(name, {"dropout": 0.0}))
    without = {}
    if name in WITH_AUXILIARY_HEADS:  # which have a test of their own
        options["auxiliary"], without = False, {"aux_logits": False}
    size = (max(66, smallest(name)), max(64, smallest(name)) + 7)
    torch.manual_seed(0)
    ours = build_image(name, classes=9, size=size, options=options).double()
    for key, parameter in ours.named_parameters():
        if key.endswith("layer_scale"):
            nn.init.uniform_(parameter)  # at its start ConvNeXt's blocks hardly answer
    ours(picture(4, 3, *size, dtype=torch.float64))  # running means that are not 0 and 1
    rate = {"convnext_tiny": "stochastic_depth_prob"}.get(name, "dropout")
    other = theirs(name, 9, **{rate: 0.0}, **without)
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
    there = [*torchvision.models.list_models(module=torchvision.models), *IN_TIMM]
    assert [name for name in names("image") if name not in there] == sorted(NEVER_PUBLISHED, key=names("image").index)


@pytest.mark.parametrize("name", IN_TIMM)
def test_gives_timms_answers_with_the_same_weights(name: str) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    other = timm.create_model(name, pretrained=False, num_classes=9, drop_rate=0.0).double()
    other(picture(2, 3, 75, 82, dtype=torch.float64))  # running means that are not 0 and 1
    ours = build_image(name, classes=9, size=(80, 90), options=FAMILIES[name]).double()
    ours.load_state_dict(other.state_dict())
    x = picture(2, 3, 80, 90, seed=1, dtype=torch.float64)
    for training in (False, True):
        a, b = ours.train(training)(x), other.train(training)(x)
        assert ((a - b).abs().max() / b.abs().max()).item() < 1e-8
    for key, tensor in other.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], tensor, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", WITH_AUXILIARY_HEADS)
def test_auxiliary_heads_give_torchvisions_answers_in_training(name: str) -> None:
    side = {"googlenet": 224, "inception_v3": 299}[name]
    torch.manual_seed(0)
    ours = build_image(name, classes=9, size=(side, side), options=FAMILIES[name]).double()
    rates = {"googlenet": {"dropout_aux": 0.0}}.get(name, {})
    other = theirs(name, 9, dropout=0.0, **rates)
    other.load_state_dict(copy.deepcopy(ours.state_dict()), assign=True)
    x = picture(2, 3, side, side, dtype=torch.float64)
    with torch.no_grad():
        logits, auxiliary = ours.all_logits(x)
        expected = other(x)  # theirs come from the top
    for a, b in zip((logits, *reversed(auxiliary)), expected, strict=True):
        assert ((a - b).abs().max() / b.abs().max()).item() < 1e-8


@pytest.mark.parametrize(("name", "share"), [("googlenet", 0.3), ("inception_v3", 0.4)])
def test_auxiliary_heads_have_their_share_in_the_loss_and_leave_no_trace_in_use(name: str, share: float) -> None:
    side = smallest(name)
    network = small(name)
    with torch.device("meta"):
        whole = build_image(name, classes=1000)
    assert parameter_count(whole) == WITH_AUXILIARY_HEADS[name]
    x, truth = picture(4, 3, side, side), torch.tensor([0, 1, 2, 3])
    criterion = loss("cross_entropy")
    network.eval()  # the same answers each time
    logits, total = network.training_loss(x, truth, criterion)
    _, auxiliary = network.all_logits(x)
    assert torch.equal(logits, network(x))
    assert total.item() == pytest.approx(
        criterion(logits, truth).item() + share * sum(criterion(one, truth).item() for one in auxiliary)
    )
    plain = build_image(name, classes=4, size=(side, side), options={**FAMILIES[name], "auxiliary": False}).eval()
    report = load_into(plain, network.state_dict())
    assert (report.missing, report.mismatched) == ([], [])
    assert torch.equal(plain(x), logits)
    assert plain.training_loss(x, truth, criterion)[1].item() == criterion(logits, truth).item()


@pytest.mark.parametrize(("name", "prefix"), [("googlenet", "aux"), ("inception_v3", "AuxLogits")])
def test_published_weights_load_with_auxiliary_heads_and_without(name: str, prefix: str) -> None:
    file = theirs(name, 1000).to_empty(device="cpu").state_dict()
    without = build_image(name, classes=1000, size=(299, 299), options={"auxiliary": False})
    report = load_into(without, file)
    assert (report.missing, report.mismatched) == ([], [])
    assert report.unexpected
    assert all(key.startswith(prefix) for key in report.unexpected)
    whole = build_image(name, classes=1000, size=(299, 299))
    assert load_into(whole, file).line() == f"{len(report.loaded) + len(report.unexpected)} of " + (
        f"{len(report.loaded) + len(report.unexpected)} tensors loaded"
    )
    fewer = load_into(whole, without.state_dict())
    assert (fewer.unexpected, fewer.mismatched) == ([], [])
    assert all(key.startswith(prefix) for key in fewer.missing)


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
        ("googlenet", {"auxiliary": 1}, "googlenet: auxiliary is like True, not like 1"),
        ("capsnet", {}, "capsnet: 224 x 224 has too many capsules; a size of 28 or at most 64 .* would do"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_image(name, classes=2, options=options)
