"""Fewer boxes: what is merged, drawn once, folded, and that nothing is lost on the way."""

import torch
from torch import Tensor, nn

from multicnn.drawing.graph import trace
from multicnn.drawing.simplify import simplify


class Block(nn.Module):
    """Adds a correction; more layers than one, so that it is a part."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, inner)
        self.norm = nn.BatchNorm1d(inner)
        self.act = nn.ReLU()
        self.widen = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.widen(self.act(self.norm(self.narrow(x))))


def chain(*inner: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Sequential(*(Block(8, one) for one in inner)), nn.Linear(8, 2))


def drawn(network: nn.Module, whole: int, most: int) -> tuple[list[tuple[str, int]], list[tuple[int, int]]]:
    drawing = simplify(trace(network, torch.zeros(1, 4)), whole, most)
    for node in drawing.nodes:
        assert set(node.inputs) <= set(drawing.nodes[: drawing.nodes.index(node)])
    boxes = [(node.name or node.kind, node.parameters) for node in drawing.nodes]
    return boxes, [(frame.times, frame.parameters) for frame in drawing.frames]


def test_light_layers_join_the_box_before_them() -> None:
    drawing = simplify(trace(chain(3), torch.zeros(1, 4)))
    narrow = next(node for node in drawing.nodes if node.name == "1.0.narrow")
    assert narrow.also == ("BatchNorm1d", "ReLU")
    assert narrow.parameters == 27 + 6
    assert len(drawing.nodes) == 6


def test_light_layers_stay_where_others_take_the_output_too() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.act = nn.Linear(4, 4), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            y = self.layer(x)
            return y + self.act(y)

    drawing = simplify(trace(Fork(), torch.zeros(1, 4)))
    assert [node.kind for node in drawing.nodes] == ["input", "Linear", "ReLU", "+"]


def test_equal_parts_are_drawn_once() -> None:
    boxes, frames = drawn(chain(3, 3, 3), whole=6, most=6)
    assert boxes == [("input", 0), ("0", 40), ("1.0.narrow", 33), ("1.0.widen", 32), ("+", 0), ("2", 18)]
    assert frames == [(3, 3 * 65)]


def test_what_differs_in_channels_is_drawn_once_only_where_it_must() -> None:
    boxes, frames = drawn(chain(3, 3, 5), whole=6, most=9)
    assert [name for name, _ in boxes].count("+") == 2
    assert frames == [(2, 130)]
    boxes, frames = drawn(chain(3, 3, 5), whole=6, most=6)
    assert [name for name, _ in boxes].count("+") == 1
    assert frames == [(3, 130 + 45 + 10 + 48)]


def test_parts_become_boxes_where_nothing_else_helps() -> None:
    boxes, frames = drawn(chain(3, 3, 3), whole=2, most=4)
    assert boxes == [("input", 0), ("0", 40), ("1.0", 65), ("2", 18)]
    assert frames == [(3, 195)]
    boxes, _ = drawn(chain(3, 5, 3), whole=2, most=4)
    assert boxes == [("input", 0), ("0", 40), ("1", 65 + 103 + 65), ("2", 18)]


def test_branches_side_by_side_are_no_repeats() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branches = nn.ModuleList(nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4)) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([branch(x) for branch in self.branches], dim=1)

    boxes, frames = drawn(Branches(), whole=3, most=8)
    assert len(boxes) == 8
    assert frames == []


def test_the_traced_graph_is_left_as_it_was() -> None:
    graph = trace(chain(3, 3), torch.zeros(1, 4))
    before = [(node, list(node.inputs), node.parameters) for node in graph.nodes]
    simplify(graph, 2, 3)
    assert before == [(node, list(node.inputs), node.parameters) for node in graph.nodes]
