"""Networks from patterns: the layers that are meant, and the arithmetic that has to come out whole."""

import itertools

import pytest
import torch
from block_checks import assert_same_in_onnx
from torch import Tensor, nn

from multicnn.blocks.arithmetic import parameter_count
from multicnn.blocks.convolution import Convolution
from multicnn.language.network import PatternNetwork
from multicnn.language.tree import PatternError
from multicnn.language.vocabulary import VOCABULARY
from multicnn.language.words import Word

VGG = "[conv3-64 relu]*2 pool2 [conv3-128 relu]*2 pool2 [conv3-256 relu]*3 pool2 [[conv3-512 relu]*3 pool2]*2"
IN_TEXTS_ONLY = ("dkmax",)
# As quick to try as the others, and whole on the sizes of the test.
SMALLER = {
    "conv": "conv3-8:same",
    "deconv": "deconv4-8/2:p1",
    "dw": "dw3",
    "dwsep": "dwsep3-8",
    "sep": "sep7-8",
    "lowrank": "lowrank7-8-4",
    "local": "local3-4",
    "mlpconv": "mlpconv5-8-4",
    "inception": "inception2-3-4-1-2-3",
    "reduction_a": "reduction_a4-4-4-4",
    "primary": "primary4-4-4/2",
    "fire": "fire2-4-4",
    "adapt": "adapt6",
    "gn": "gn8",
    "pool": "pool2",
    "lp": "lp2-2",
}


def build(pattern: str, *size: int, classes: int = 10, channels: int = 3, **variables: int) -> PatternNetwork:
    torch.manual_seed(0)
    return PatternNetwork(pattern, classes, channels, size or (32, 32), variables=variables)


def picture(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def kinds(network: nn.Module) -> list[str]:
    return [type(module).__name__ for module in network.modules() if not list(module.children())]


def test_vgg16_is_a_pattern_of_its_own_size() -> None:
    with torch.device("meta"):
        network = build(f"{VGG} [fc4096 relu drop0.5]*2 fc", 224, 224, classes=1000)
    assert parameter_count(network) == 138_357_544


def test_lenet_is_a_pattern_too() -> None:
    network = build("conv5-6:valid tanh avg2 conv5-16:valid tanh avg2 conv5-120:valid tanh fc84 tanh fc", channels=1)
    assert parameter_count(network) == 61_706


def test_the_textbooks_pattern_follows_vggs_rule() -> None:
    network = build("INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC", N=2, M=3, K=1)
    widths = [module.weight.shape[0] for module in network.modules() if isinstance(module, Convolution)]
    assert widths == [64, 64, 128, 128, 256, 256]
    assert [module.out_features for module in network.modules() if isinstance(module, nn.Linear)] == [512, 10]


def test_what_is_optional_is_left_out_where_it_does_not_fit() -> None:
    assert kinds(build("[pool2?]*4 gap fc", 12, 12)).count("MaxPool") == 2  # 12, 6, and 3 is odd
    with pytest.raises(PatternError, match="pool2 on 3 x 3"):
        build("[pool2]*4 gap fc", 12, 12)


def test_a_convolution_before_batch_normalisation_has_no_bias() -> None:
    first, second = (m for m in build("conv3-8 bn conv3-8 relu gap fc").modules() if isinstance(m, Convolution))
    assert first.bias is None
    assert second.bias is not None


def test_layers_are_named_by_their_words() -> None:
    network = build("[conv3-8 relu]*2 gap fc16 relu fc")
    assert list(dict(network.features.named_children())) == ["conv1", "relu1", "conv2", "relu2"]
    assert list(dict(network.head.named_children())) == ["gap1", "fc1", "relu3", "fc2"]


@pytest.mark.parametrize(
    ("layer", "side"),
    [
        ("conv3-8", 11),
        ("conv3-8/2", 5),
        ("conv3-8/2:same", 6),
        ("conv4-8/2:floor", 4),
        ("conv3-8:valid", 9),
        ("conv3-8:p2", 13),
        ("conv3-8:d2:valid", 7),
        ("conv3-8/2:p1", 6),
        ("conv5-8:reflect", 11),
        ("conv3-8:fill0.5", 11),
        ("pool3/2", 5),
        ("pool2:floor", 5),
        ("pool2:same", 6),
        ("avg3/2:same", 6),
        ("pool3/2:p1", 6),
        ("deconv3-8/2", 23),
        ("deconv3-8/2:same", 22),
        ("res8/2", 6),
        ("transition0.5", 5),
    ],
)
def test_sizes_are_those_of_the_arithmetic(layer: str, side: int) -> None:
    network = build(f"conv1-4 {layer} relu gap fc", 11, 11)
    assert network.features(picture(1, 3, 11, 11)).shape[2:] == (side, side)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "conv1-4 conv3-8/2 gap fc",
            "conv3-8/2 on 10 x 10: (10 - 3 + 2*0)/2 + 1 = 4.5 is not whole; "
            "conv4-8/2 (4), :same (5) or :floor (4) would work",
        ),
        ("pool3 gap fc", "pool3 on 10 x 10: (10 - 3 + 2*0)/3 + 1 = 3.33 is not whole; pool4"),
        ("POOL5/2 gap fc", "POOL6/2 (3), :same (5) or :floor (3) would work"),
        ("conv11-4:valid gap fc", "(10 - 11 + 2*0)/1 + 1 = 0 is below 1; conv10-4:valid (1) or :same (10) would work"),
        ("conv3-4/2:d2 gap fc", "(10 - 5 + 2*0)/2 + 1 = 3.5 is not whole"),
        ("foo3 fc", "foo3: there is no layer foo"),
        ("cov3-4 fc", "there is no layer cov; did you mean conv?"),
        ("conv3-4:sam gap fc", "takes no :sam; did you mean same?"),
        ("conv3-4:same:valid gap fc", ":same and :valid contradict each other"),
        ("conv3-4-5 gap fc", "has more numbers than it takes; it is written like conv3-64/2:same"),
        ("res gap fc", "res lacks its number of channels; it is written like res64/2"),
        ("relu/2 gap fc", "takes no step behind a slash"),
        ("kmax3 fc", "kmax3 works on 1 axis, and here are 2 (3 x 10 x 10)"),
        ("gap conv3-4 fc", "needs maps, and here is a vector of 3 already"),
        ("drop2 fc", "the share is a share from 0 to below 1, not 2"),
        ("conv3-6:g4 gap fc", "4 groups do not divide 3 and 6 channels"),
        ("conv3x3x3-6 gap fc", "2 numbers are needed, one for each axis"),
        ("conv0-6 gap fc", "the kernel is a whole number from 1 on, not 0"),
        ("conv3-6.5 gap fc", "the number of channels is a whole number from 1 on, not 6.5"),
        ("conv3-6", "ends with 6 x 10 x 10 and not with a number for each of the 10 classes; put gap fc behind it"),
        ("gap fc7", "the pattern ends with 7 and not with a number for each of the 10 classes; put fc behind it"),
        ("dkmax3 fc", "works on 1 axis"),
        ("conv3-4:d0 gap fc", "a dilation is 1 or more, not 0"),
        ("conv3-4:d gap fc", ":d needs a number, as :d2"),
        ("conv3-4:same2 gap fc", ":same takes no number"),
        ("spp0 fc", "the number of regions is a whole number from 1 on, not 0"),
        ("conv3-5 glu gap fc", "5 is odd"),
    ],
)
def test_what_does_not_fit_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        build(pattern, 10, 10)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "^" in caught.value.details


def test_along_time_windows_round_down() -> None:
    network = PatternNetwork("pool2 pool2 gap fc", 4, 1, (8, 11), rounds=(False, True))
    assert network.features(picture(1, 1, 8, 11)).shape == (1, 1, 2, 2)
    with pytest.raises(PatternError, match=r"\(7 - 2 \+ 2\*0\)/2 \+ 1 = 3.5"):
        PatternNetwork("pool2 gap fc", 4, 1, (7, 11), rounds=(False, True))


def test_a_catalogues_block_rounds_down_as_its_paper_does() -> None:
    assert build("res8/2 res16/2 gap fc", 11, 11)(picture(1, 3, 11, 11)).shape == (1, 10)


def test_the_classes_can_be_a_number_of_channels() -> None:
    network = build("conv3-16 relu conv1-classes gap", classes=7)
    assert network(picture(2, 3, 32, 32)).shape == (2, 7)
    network.reset_head(4)
    assert network(picture(2, 3, 32, 32)).shape == (2, 4)


def test_the_head_can_be_changed_and_only_the_head() -> None:
    network = build("conv3-8 relu gap fc16 relu drop0.5 fc")
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    network.reset_head(3)
    changed = [key for key, tensor in network.state_dict().items() if not torch.equal(tensor, before[key])]
    assert changed == ["head.fc2.weight", "head.fc2.bias"]
    assert network(picture(2, 3, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in VOCABULARY if name not in IN_TEXTS_ONLY])
def test_every_word_builds_as_it_is_written_and_learns(name: str, dims: int) -> None:
    word: Word = VOCABULARY[name]
    if not word.dims or dims not in word.dims:
        pytest.skip(f"{name} works on {word.dims}")
    side = {1: 64, 2: 16, 3: 8}[dims]
    network = build(
        f"conv1-32 {SMALLER.get(name, word.form)} {'' if name in ('fc', 'flatten') else 'elu'} fc", *[side] * dims
    )
    y = network(picture(4, 3, *[side] * dims))
    assert y.shape == (4, 10)
    y.square().sum().backward()
    lost = [key for key, one in network.named_parameters() if one.grad is None or not one.grad.isfinite().all()]
    assert lost == []


@pytest.mark.parametrize(
    "pattern",
    [
        "[conv3-8 bn relu]*2 pool2 dwsep3-16 relu pool3/2:same dense4*2 spp2-1 fc",
        "conv5-8:reflect elu stoch2 dyn3-8:k2 filter3 hyper3-8 local3-4 att8 ln fc",
        "conv3-8 lrn5 maxdrop2-0.5 lp2-3 gn4 in region2 fc16 relu drop0.5 fc",
    ],
)
def test_patterns_export(pattern: str) -> None:
    assert_same_in_onnx(build(pattern, 16, 16), picture(2, 3, 16, 16), picture(3, 3, 16, 16), atol=1e-4)


def test_capsules_are_layers_too() -> None:
    network = build("conv9-32:valid relu primary9-4-8/2:floor caps16 length", 28, 28, channels=1, classes=3)
    assert network(picture(2, 1, 28, 28)).shape == (2, 3)
    network.reset_head(5)
    y = network(picture(2, 1, 28, 28))
    assert y.shape == (2, 5)
    assert (y < 0).all()  # logarithms of lengths below 1


def test_inception_resnets_blocks_have_their_numbers() -> None:
    assert "Block17" in {type(module).__name__ for module in build("block35 block17 block8 gap fc").modules()}
    with pytest.raises(PatternError, match="there are block35, block17 and block8, not block9"):
        build("block9 gap fc")


def test_one_seed_gives_one_network() -> None:
    one, other = (build("[conv3-8 bn relu]*2 gap fc").state_dict() for _ in range(2))
    assert all(torch.equal(a, b) for a, b in itertools.zip_longest(one.values(), other.values()))
