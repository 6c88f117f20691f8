"""The account of a network against the textbook's figures and against sums done by hand."""

import pytest
import torch
import torchvision
from torch import Tensor, nn

from multicnn.blocks.arithmetic import Field, activation_bytes, multiply_adds, parameter_count
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.layers import Layer, layer_table
from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, MaxPool, WindowPool
from multicnn.blocks.pooling_ceil import CeilMaxPool
from multicnn.blocks.pooling_lp import LpPool
from multicnn.blocks.residual import BasicBlock


def table_of(name: str, side: int = 224) -> list[Layer]:
    with torch.device("meta"):
        return layer_table(torchvision.models.get_model(name, weights=None), torch.empty(1, 3, side, side))


def by_name(table: list[Layer]) -> dict[str, Layer]:
    return {layer.name: layer for layer in table}


def test_vgg16_is_the_textbooks() -> None:
    table = table_of("vgg16")
    assert sum(layer.parameters for layer in table) == 138_357_544
    assert sum(layer.multiply_adds for layer in table) == 15_470_264_320  # 15.5 G
    counted = [layer for layer in table if layer.kind in ("Conv2d", "MaxPool2d", "Linear")]
    # CS231n, "Case studies", VGGNet: the table's own lines, without the input's 150 K; they come to 15 M, not to the
    # 24 M that stand below them.
    convolutions = 2 * 224**2 * 64 + 2 * 112**2 * 128 + 3 * 56**2 * 256 + 3 * 28**2 * 512 + 3 * 14**2 * 512
    pools = 112**2 * 64 + 56**2 * 128 + 28**2 * 256 + 14**2 * 512 + 7**2 * 512
    assert sum(layer.forward_bytes for layer in counted) == 4 * (convolutions + pools + 4096 + 4096 + 1000)
    first, deep, head = (by_name(table)[name] for name in ("features.0", "features.30", "classifier.0"))
    assert (first.output, first.parameters, first.multiply_adds) == ((64, 224, 224), 1792, 224 * 224 * 64 * 27)
    # Araujo et al. 2019, table 1: VGG-16 has a receptive field of 212, a stride of 32, a padding of 90
    assert deep.fields == (Field(212, 32, 90),) * 2
    assert (head.parameters, head.receptive_field) == (102_764_544, None)


def test_resnet18_adds_up() -> None:
    table = table_of("resnet18")
    with torch.device("meta"):
        network = torchvision.models.resnet18()
    example = torch.empty(1, 3, 224, 224)
    assert sum(layer.parameters for layer in table) == parameter_count(network) == 11_689_512
    assert sum(layer.multiply_adds for layer in table) == multiply_adds(network, example) == 1_814_073_344
    assert sum(layer.backward_bytes for layer in table) == activation_bytes(network, example)
    last = by_name(table)["layer4.1.conv2"]
    assert last.receptive_field == (435, 435)
    assert [by_name(table)[f"layer4.1.{name}"].output for name in ("conv1", "bn2", "relu")] == [(512, 7, 7)] * 3


def test_a_residual_sum_has_a_line_of_its_own() -> None:
    table = layer_table(BasicBlock(4, 4), torch.empty(1, 4, 8, 8))
    whole = table[-1]
    assert (whole.name, whole.kind, whole.output) == ("", "BasicBlock", (4, 8, 8))
    assert whole.forward_bytes == 4 * 4 * 8 * 8
    assert whole.parameters == whole.multiply_adds == 0


def test_a_field_is_the_union_of_all_ways_through_the_graph() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = Convolution(2, 3, 7, padding=3)
            self.narrow = nn.Sequential(Convolution(2, 3, 3, padding=1), MaxPool(3, stride=1, padding=1))
            self.end = AveragePool(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(torch.cat([self.wide(x), self.narrow(x).relu()], dim=1))  # type: ignore[no-any-return]

    fields = {
        name: layer.receptive_field for name, layer in by_name(layer_table(Fork(), torch.empty(1, 2, 12, 9))).items()
    }
    assert fields["wide"] == (7, 7)
    assert fields["narrow.1"] == (5, 5)
    assert fields["end"] == (8, 8)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kind", [MaxPool, CeilMaxPool, LpPool])
def test_windows_of_every_pool_are_followed(kind: type[WindowPool], dims: int) -> None:
    arguments = (2.0,) if kind is LpPool else ()
    network = nn.Sequential(Convolution(2, 3, 3, dims=dims), kind(*arguments, 3, 2, 1, dims=dims))
    assert layer_table(network, torch.empty(1, 2, *(9,) * dims))[-1].fields == (Field(5, 2, 1),) * dims


def seen_by_gradient(network: nn.Module, x: Tensor) -> tuple[int, int]:
    """How much of the last axis the middle place of the output depends on, and where that begins."""
    x = x.requires_grad_()
    y = network(x).abs().sum(1)  # some place of every channel
    for _ in range(y.ndim - 2):
        y = y.sum(1)
    y[0, y.shape[-1] // 2].backward()
    touched = x.grad.abs().sum(dim=tuple(range(x.ndim - 1))).nonzero()  # type: ignore[union-attr]
    return int(touched.max() - touched.min()) + 1, int(touched.min())


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid", 1])
def test_fields_are_what_the_gradient_reaches(dims: int, padding: str | int) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        Convolution(2, 4, 3, stride=2, padding=padding, dims=dims),
        BatchOf(4),
        nn.Softplus(),
        Convolution(4, 4, 3, dilation=2, padding=padding, dims=dims),
        AveragePool(2, dims=dims),
        Convolution(4, 2, 2, dims=dims),
    ).double()
    x = torch.rand(1, 2, *(30,) * (dims - 1), 60, dtype=torch.float64)
    table = layer_table(network, x)
    field = table[-1].fields[-1]  # type: ignore[index]
    assert len(table[-1].fields) == dims  # type: ignore[arg-type]
    size, begin = seen_by_gradient(network, x)
    assert size == field.size
    assert begin == table[-1].output[-1] // 2 * field.stride - field.padding


class BatchOf(nn.Module):
    """Something between two layers that moves axes about and puts them back."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.movedim(1, -1)).movedim(-1, 1).contiguous()  # type: ignore[no-any-return]


class Hidden(nn.Module):
    """A window of 3 that jumps by 2, in operations that no rule can follow."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        columns = nn.functional.unfold(x, 3, stride=2).unflatten(1, (x.shape[1], -1)).amax(2)
        return columns.unflatten(2, ((x.shape[2] - 3) // 2 + 1, -1))


def test_a_module_may_say_what_its_window_is() -> None:
    network = nn.Sequential(Convolution(2, 4, 3), Hidden(3, 2))
    assert layer_table(network, torch.empty(1, 2, 13, 11))[-1].fields == (Field(5, 2),) * 2
    wrong = nn.Sequential(Convolution(2, 4, 3), Hidden(5, 1))  # would give another size than it does
    assert layer_table(wrong, torch.empty(1, 2, 13, 11))[-1].fields is None


def test_axes_that_move_keep_their_fields() -> None:
    class Moves(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            groups = x.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)  # shuffled channels
            first, second = groups.chunk(2, dim=1)
            one = torch.stack([first[:, :, 1:], second[:, :, :-1]], dim=1).amax(1)
            return one.squeeze(1).unsqueeze(-1).mean(-1) * x.mean((2, 3), keepdim=True)[:, :2]

    network = nn.Sequential(Convolution(1, 4, 3), Moves())
    assert layer_table(network, torch.empty(1, 1, 9, 9))[-1].fields == (Field(4, 1), Field(3, 1))


def test_words_are_places_too() -> None:
    network = nn.Sequential(
        nn.Embedding(50, 8), Turn(), Convolution(8, 4, 5, dims=1), GlobalAveragePool(), nn.Linear(4, 2)
    )
    table = layer_table(network, torch.empty(1, 20, dtype=torch.long))
    assert [layer.receptive_field for layer in table] == [(1,), (1,), (5,), None, None]
    assert [layer.output for layer in table] == [(20, 8), (8, 20), (4, 16), (4,), (2,)]
    assert [layer.multiply_adds for layer in table] == [0, 0, 4 * 16 * 5 * 8, 0, 8]


class Turn(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


def test_shared_weights_count_once_and_calls_have_a_line_each() -> None:
    shared = Convolution(2, 2, 3, padding=1)
    table = layer_table(nn.Sequential(shared, nn.ReLU(), shared), torch.empty(1, 2, 4, 4))
    assert [layer.parameters for layer in table] == [38, 0, 0]
    assert [layer.receptive_field for layer in table] == [(3, 3), (3, 3), (5, 5)]


def test_the_network_stays_as_it_was() -> None:
    network = torchvision.models.resnet18(num_classes=2).train()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    layer_table(network, torch.empty(1, 3, 64, 64))
    assert network.training
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(("name", "parameters"), [("vit_b_32", 88_224_232), ("swin_t", 28_288_354)])
def test_attention_counts_the_weights_of_children_that_it_does_not_call(name: str, parameters: int) -> None:
    assert sum(layer.parameters for layer in table_of(name)) == parameters
