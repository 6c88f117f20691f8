"""What flows where: the traced graph against the layer table and against what the blocks are known to do."""

import pytest
import torch
from torch import Tensor, nn

from multicnn.blocks.layers import layer_table
from multicnn.blocks.residual import BasicBlock
from multicnn.catalogue import TABLES, build, classes_of, example, full_input, lasting_parameters
from multicnn.drawing.graph import Graph, Node, trace
from multicnn.drawing.simplify import simplify

EVERY = list(dict.fromkeys(name for table in TABLES.values() for name in table))


def network_of(name: str) -> nn.Module:
    with torch.device("meta"):
        return build(name, full_input(name), classes_of(name))


def graph_of(name: str) -> Graph:
    return trace(network_of(name), example(name, full_input(name)))


def named(graph: Graph, name: str) -> Node:
    return next(node for node in graph.nodes if node.name == name)


@pytest.mark.parametrize("name", EVERY)
def test_every_architecture_is_followed_from_input_to_output(name: str) -> None:
    network = network_of(name)
    graph = trace(network, example(name, full_input(name)))
    assert graph.kinds or len(graph.nodes) < 4  # no chain of children
    place = {node: number for number, node in enumerate(graph.nodes)}
    assert [node.kind for node in graph.nodes if not node.inputs] == ["input"]
    assert all(place[one] < place[node] for node in graph.nodes for one in node.inputs)
    assert {one for node in graph.nodes for one in node.inputs} == set(graph.nodes[:-1])  # all but the output are used
    assert graph.nodes[-1].output == (classes_of(name),)
    decoder = sum(one.numel() for key, one in network.named_parameters() if key.startswith("decoder."))
    assert sum(node.parameters for node in graph.nodes) == lasting_parameters(network) - decoder  # it draws in training
    drawing = simplify(graph)
    assert {one for node in drawing.nodes for one in node.inputs} == set(drawing.nodes[:-1])
    assert len(drawing.nodes) <= 64


@pytest.mark.parametrize("name", ["lenet", "resnet18", "googlenet", "textcnn", "wave1d", "cnn14"])
def test_nodes_are_the_layer_tables_lines(name: str) -> None:
    network = network_of(name)
    lines = [one for one in layer_table(network, example(name, full_input(name))) if one.parameters]
    nodes = [node for node in graph_of(name).nodes if node.parameters]
    assert [(node.name, node.kind, node.output, node.parameters) for node in nodes] == [
        (line.name, line.kind, line.output, line.parameters) for line in lines
    ]


def test_a_residual_block_adds_what_it_got() -> None:
    graph = trace(nn.Sequential(nn.Conv1d(1, 4, 1), BasicBlock(4, 4, dims=1)), torch.zeros(1, 1, 8))
    total = next(node for node in graph.nodes if node.kind == "+")
    assert {node.name for node in total.inputs} == {"0", "1.bn2"}
    assert total.is_join


def test_an_inception_module_joins_four_branches() -> None:
    graph = graph_of("googlenet")
    joined = next(node for node in graph.nodes if node.kind == "concat")
    assert [node.name for node in joined.inputs] == [
        "inception3a.branch1.relu", "inception3a.branch2.1.relu", "inception3a.branch3.1.relu",
        "inception3a.branch4.1.relu",
    ]  # fmt: skip


def test_kernels_strides_and_groups_are_told() -> None:
    layers = (nn.Conv2d(4, 8, (3, 5), stride=2, padding=(1, 2), groups=2), nn.MaxPool2d(2), nn.Flatten())
    graph = trace(nn.Sequential(*layers, nn.Linear(8 * 2 * 2, 1000)), torch.zeros(1, 4, 8, 8))
    assert [node.detail for node in graph.nodes] == ["", "3x5/2, 2 groups", "2x2/2", "32 to 1,000"]


class Twice(nn.Module):
    """One layer, called twice, whose answers are added in place; a number is added too, which makes no branch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        y += self.layer(y + 1)
        return y.relu()


def test_a_shared_layer_has_two_nodes_and_is_counted_once() -> None:
    graph = trace(Twice(), torch.zeros(1, 3))
    assert [(node.name, node.kind, node.parameters) for node in graph.nodes] == [
        ("", "input", 0), ("layer", "Linear", 12), ("layer", "Linear", 0), ("", "+", 0), ("", "ReLU", 0),
    ]  # fmt: skip
    assert graph.nodes[3].inputs == graph.nodes[1:3]


class Hidden(nn.Module):
    """Nothing ties what the last layer takes to what the first one gave."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.zeros(self.first(x).shape, device=x.device))


def test_where_the_flow_is_lost_the_children_are_a_chain() -> None:
    graph = trace(Hidden(), torch.zeros(1, 3))
    assert [(node.name, node.kind, node.output, node.parameters) for node in graph.nodes] == [
        ("", "input", (3,), 0), ("first", "Sequential", (4,), 16), ("last", "Linear", (2,), 10),
    ]  # fmt: skip
    assert [node.inputs for node in graph.nodes] == [[], [graph.nodes[0]], [graph.nodes[1]]]
