"""The contract that every image architecture is held to, and its agreement with torchvision."""

import copy
import sys
import types
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load, save
from torch import Tensor, nn

from multicnn.architectures import TABLE, build_image, build_text, fitting_size, names
from multicnn.blocks.arithmetic import parameter_count
from multicnn.blocks.convolution import Convolution
from multicnn.errors import UsageError

SMALLEST = ["lenet", "resnet9", "resnet18", "densenet121"]  # of each family
TORCHVISION = ["torchvision:squeezenet1_1", "torchvision:shufflenet_v2_x0_5", "torchvision:mnasnet0_5"]

# The papers' and torchvision's figures: with 1000 classes, LeNet and ResNet-9 with 10. test_classical.py has the rest.
PARAMETERS = {
    "lenet": 61_706,
    "resnet9": 6_573_120,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
}
THE_SAME_IN_TORCHVISION = [
    name for name in PARAMETERS if name.startswith(("resnet1", "resnet3", "resnet5", "densenet"))
]


def picture(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_count_is_the_published_one(name: str) -> None:
    grey = name == "lenet"
    with torch.device("meta"):
        network = build_image(
            name,
            classes=10 if name in ("lenet", "resnet9") else 1000,
            channels=1 if grey else 3,
            size=(32, 32) if name in ("lenet", "resnet9") else (224, 224),
        )
        assert parameter_count(network) == PARAMETERS[name]


@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.parametrize(("channels", "size"), [(1, (28, 28)), (3, (32, 45)), (2, (72, 40))])
def test_shapes(name: str, channels: int, size: tuple[int, int]) -> None:
    network = build_image(name, classes=5, channels=channels, size=size).eval()
    x = picture(2, channels, *size)
    maps = network.features(x)
    assert maps.shape[0] == 2
    assert maps.ndim == 4
    torch.testing.assert_close(network.head(maps), network(x))
    assert network(x).shape == (2, 5)


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_inputs_work(name: str) -> None:
    side = 12 if name == "lenet" else 8
    assert build_image(name, classes=3, size=(side, side)).eval()(picture(1, 3, side, side)).isfinite().all()


@pytest.mark.parametrize("name", [*SMALLEST, "resnet50", *TORCHVISION])
def test_backward_reaches_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    network = build_image(name, classes=3, size=(32, 32))
    nn.functional.cross_entropy(network(picture(4, 3, 32, 32)), torch.tensor([0, 1, 2, 0])).backward()
    lost = [key for key, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert lost == []


@pytest.mark.parametrize("name", SMALLEST)
def test_a_saved_network_gives_the_same_answers(name: str) -> None:
    network, other = (build_image(name, classes=3, size=(28, 28)) for _ in range(2))
    network(picture(4, 3, 28, 28))  # batch normalisation has seen something
    other.load_state_dict(load(save(network.state_dict())))
    x = picture(2, 3, 28, 28, seed=1)
    assert torch.equal(network.eval()(x), other.eval()(x))


@pytest.mark.parametrize("name", SMALLEST)
def test_one_seed_gives_one_network_and_one_training_step(name: str) -> None:
    def step() -> list[Tensor]:
        torch.manual_seed(7)
        network = build_image(name, classes=3, size=(28, 28), options={"dropout": 0.1})
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        network(picture(4, 3, 28, 28)).square().sum().backward()
        optimiser.step()
        return list(network.state_dict().values())

    assert all(torch.equal(a, b) for a, b in zip(step(), step(), strict=True))


@pytest.mark.parametrize("name", SMALLEST)
def test_learns_a_few_pictures_by_heart_from_scratch(name: str) -> None:
    torch.manual_seed(0)
    network = build_image(name, classes=4, size=(16, 16))
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    x, truth = picture(8, 3, 16, 16), torch.arange(8) % 4
    first = last = nn.functional.cross_entropy(network(x), truth)
    assert first.item() < 4  # a good start is near ln 4 = 1.4
    for _ in range(12):
        optimiser.zero_grad()
        last = nn.functional.cross_entropy(network(x), truth)
        last.backward()
        optimiser.step()
    assert last.item() < first.item() / 2


@pytest.mark.parametrize("name", [*SMALLEST, *TORCHVISION])
def test_the_head_can_be_changed_and_only_the_head(name: str) -> None:
    network = build_image(name, classes=3, size=(32, 32))
    before = copy.deepcopy(network.state_dict())
    network.reset_head(7)
    changed = [key for key, tensor in network.state_dict().items() if not torch.equal(tensor, before[key])]
    assert {tensor.shape[0] for key, tensor in network.state_dict().items() if key in changed} == {7}
    assert network.eval()(picture(2, 3, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "densenet121" else ()) for name in SMALLEST]
)
def test_onnx_runtime_agrees_at_any_batch_size(name: str) -> None:
    import onnxruntime as ort

    torch.manual_seed(0)
    network = build_image(name, classes=4, size=(32, 32))
    network(picture(8, 3, 32, 32))
    network.eval()
    program = torch.onnx.export(
        network,
        (picture(2, 3, 32, 32),),
        dynamo=True,
        opset_version=18,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    session = ort.InferenceSession(program.model_proto.SerializeToString())
    for batch in (1, 3):
        x = picture(batch, 3, 32, 32, seed=batch)
        (logits,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        expected = network(x).detach().numpy()
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", THE_SAME_IN_TORCHVISION)
def test_names_and_shapes_of_the_weights_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        ours = build_image(name, classes=1000).state_dict()
        theirs = torchvision.models.get_model(name, weights=None).state_dict()
    assert {key: tensor.shape for key, tensor in ours.items()} == {key: tensor.shape for key, tensor in theirs.items()}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121"])
def test_gives_torchvisions_answers_with_torchvisions_weights(name: str, training: bool) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None, num_classes=9).double()
    theirs(picture(4, 3, 64, 64, dtype=torch.float64))  # running means that are not 0 and 1
    ours = build_image(name, classes=9, size=(64, 64)).double()
    ours.load_state_dict(theirs.state_dict())
    x = picture(2, 3, 70, 64, seed=1, dtype=torch.float64)
    a, b = ours.train(training)(x), theirs.train(training)(x)
    assert ((a - b).abs().max() / b.abs().max()).item() < 1e-8
    for key, tensor in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], tensor, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("stem", "size", "side"),
    [("auto", (63, 200), 8), ("auto", (64, 64), 2), ("small", (64, 64), 8), ("imagenet", (32, 32), 1)],
)
@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_the_stem_keeps_the_resolution_of_small_inputs(name: str, stem: str, size: tuple[int, int], side: int) -> None:
    with torch.device("meta"):
        network = build_image(name, classes=2, size=size, options={"stem": stem}).eval()
        floor = 7 if name == "densenet121" and size[0] == 63 else side  # its poolings round down
        assert network.features(torch.empty(1, 3, *size)).shape[2] == floor


def test_lenet_pads_small_inputs_to_the_papers_sizes() -> None:
    classic = build_image("lenet", classes=10, channels=1, size=(28, 28))
    assert parameter_count(classic) == 61_706
    assert classic.features(picture(1, 1, 28, 28)).shape == (1, 16, 5, 5)


def test_lenet_can_be_the_papers() -> None:
    paper = build_image(
        "lenet", classes=10, channels=1, size=(32, 32), options={"activation": "tanh", "pooling": "average"}
    )
    kinds = {type(module).__name__ for module in paper.modules()}
    assert {"Tanh", "AveragePool"} <= kinds
    assert not {"ReLU", "MaxPool"} & kinds


def test_resnet9_shrinks_long_axes_first() -> None:
    network = build_image("resnet9", classes=2, channels=1, size=(20, 300), options={"width": 8})
    assert network.features.shrink(network.features.prep(picture(1, 1, 20, 300))).shape == (1, 8, 20, 75)
    photograph = build_image("resnet9", classes=2, options={"width": 8})
    assert photograph.features(picture(1, 3, 224, 224)).shape == (1, 64, 7, 7)


@pytest.mark.parametrize("name", ["resnet9", "resnet18"])
def test_width_scales_every_layer(name: str) -> None:
    network = build_image(name, classes=2, size=(32, 32), options={"width": 16})
    convolutions = [module for module in network.modules() if isinstance(module, Convolution)]
    assert convolutions[0].weight.shape[0] == 16
    assert convolutions[-1].weight.shape[0] == 128


@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "vit_b_32", "alexnet"])
def test_torchvisions_own_networks_are_adapted(name: str) -> None:
    side = 96
    network = build_image(f"torchvision:{name}", classes=4, channels=1, size=(side, side))
    assert network(picture(2, 1, side, side)).shape == (2, 4)  # in training too: no second heads


def test_torchvision_options_reach_its_class() -> None:
    network = build_image("torchvision:squeezenet1_1", classes=4, options={"dropout": 0.125})
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.125]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet81"}, r"no image architecture resnet81; did you mean resnet18\?"),
        ({"name": "zzz"}, "no image architecture zzz; there are lenet, "),
        ({"name": "torchvision:alexnat"}, r"no classifier alexnat; did you mean alexnet\?"),
        ({"options": {"widht": 3}}, r"resnet18 has no option widht; did you mean width\?"),
        ({"options": {"zzz": 3}}, "resnet18 has no option zzz; it has stem, width, dropout"),
        ({"options": {"classes": 3}}, "resnet18 has no option classes"),
        ({"options": {"width": "wide"}}, "resnet18: width is like 64, not like 'wide'"),
        ({"options": {"width": 0}}, "resnet18: a convolution's channels cannot be 3 and 0"),
        ({"options": {"stem": "smal"}}, r"resnet18: there is no stem smal; did you mean small\?"),
        ({"options": {"dropout": 1}}, "resnet18: dropout is a share from 0 to below 1, not 1"),
        ({"name": "torchvision:alexnet", "options": {"dropuot": 0.1}}, r"no option dropuot; did you mean dropout\?"),
        (
            {"name": "torchvision:alexnet", "size": (32, 32)},
            "does not take inputs of 32 x 32; its own size is 224 x 224",
        ),
        ({"name": "lenet", "size": (8, 8)}, "8 x 8 is too small"),
        ({"name": "lenet", "options": {"pooling": "sum"}}, "pooling is max or average, not sum"),
        ({"name": "resnet9", "size": (4, 40)}, "4 x 40 is too small"),
        ({"name": "densenet121", "size": (7, 7)}, "does not take inputs of 7 x 7; its own size is 224 x 224"),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        build_image(**{"name": "resnet18", "classes": 2, **arguments})
    assert "\n" not in str(caught.value)


def test_building_does_not_change_the_networks_mode_or_statistics() -> None:
    network = build_image("resnet9", classes=2, size=(32, 32), options={"width": 4})
    assert network.training
    assert all(not tensor.any() for key, tensor in network.state_dict().items() if key.endswith("num_batches_tracked"))


@pytest.mark.parametrize(
    ("name", "size", "chosen"),
    [
        ("lenet", (28, 28), (28, 28)),
        ("lenet", (8, 8), (32, 32)),
        ("resnet9", (40, 300), (40, 300)),
        ("torchvision:alexnet", (32, 32), (224, 224)),
    ],
)
def test_the_fitting_size_is_the_pictures_unless_the_network_needs_its_own(
    name: str, size: tuple[int, int], chosen: tuple[int, int]
) -> None:
    assert fitting_size(name, size) == chosen


def test_the_fitting_size_does_not_hide_other_errors() -> None:
    with pytest.raises(UsageError, match="no option widht"):
        fitting_size("resnet18", (32, 32), options={"widht": 1})


class Words(nn.Module):
    word_vectors = fixed_length = False

    def __init__(
        self, classes: int, vocabulary_size: int, *, embedding: int = 8, windows: tuple[int, ...] = (3,)
    ) -> None:
        super().__init__()
        self.settings = (classes, vocabulary_size, embedding, windows)


def test_texts_are_built_from_their_own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("words_for_this_test")
    module.Words = Words  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "words_for_this_test", module)
    monkeypatch.setitem(TABLE["text"], "words", "words_for_this_test:Words")
    network = build_text("words", classes=3, vocabulary_size=50, options={"windows": [2, 3]})
    assert network.settings == (3, 50, 8, [2, 3])
    with pytest.raises(UsageError, match=r"no option embeding; did you mean embedding\?"):
        build_text("words", classes=3, vocabulary_size=50, options={"embeding": 3})
    with pytest.raises(UsageError, match="no text architecture lenet; there are textcnn, .*, words"):
        build_text("lenet", classes=3, vocabulary_size=50)


def test_sounds_have_the_image_architectures() -> None:
    assert set(names("image")) <= set(names("audio"))
