"""The sheet and what is made of it: boxes apart from each other, arrows that go around them, files that open."""

from io import BytesIO
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from multicnn.catalogue import build, classes_of, example, full_input
from multicnn.drawing.dot import dot
from multicnn.drawing.graph import Node, trace
from multicnn.drawing.png import SCALE, png
from multicnn.drawing.rows import Slot
from multicnn.drawing.sheet import Sheet, lay_out
from multicnn.drawing.simplify import Drawing, simplify
from multicnn.drawing.svg import svg

NAMES = ["lenet", "googlenet", "resnet18", "resnet152", "densenet121", "inception_v3", "textcnn", "wave1d", "linear"]


def drawing_of(name: str) -> Drawing:
    with torch.device("meta"):
        network = build(name, full_input(name), classes_of(name))
    return simplify(trace(network, example(name, full_input(name))))


@pytest.fixture(scope="module", params=NAMES)
def drawn(request: pytest.FixtureRequest) -> tuple[Drawing, Sheet]:
    drawing = drawing_of(request.param)
    return drawing, lay_out(drawing)


def ends(slot: Slot) -> tuple[float, float, float, float]:
    return slot.x - slot.width / 2, slot.y, slot.x + slot.width / 2, slot.bottom


def test_boxes_lie_on_the_sheet_and_apart(drawn: tuple[Drawing, Sheet]) -> None:
    drawing, sheet = drawn
    assert [slot.node for slot in sorted(sheet.boxes, key=lambda slot: drawing.nodes.index(slot.node))] == drawing.nodes
    for slot in sheet.boxes:
        left, top, right, bottom = ends(slot)
        assert 0 < left < right < sheet.width
        assert 0 < top < bottom < sheet.height
    for one, other in combinations(sheet.boxes, 2):
        a, b = ends(one), ends(other)
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_each_input_has_an_arrow_from_box_to_box(drawn: tuple[Drawing, Sheet]) -> None:
    drawing, sheet = drawn
    bottoms = {(round(slot.x, 3), round(slot.bottom, 3)): slot.node for slot in sheet.boxes}
    tops = {(round(slot.x, 3), round(slot.y, 3)): slot.node for slot in sheet.boxes}
    arrows = [
        (bottoms[round(way[0][0], 3), round(way[0][1], 3)], tops[round(way[-1][0], 3), round(way[-1][1], 3)])
        for way in sheet.arrows
    ]
    expected = [(one, node) for node in drawing.nodes for one in node.inputs]
    assert len(arrows) == len(expected)
    assert set(arrows) == set(expected)


def test_arrows_go_around_boxes(drawn: tuple[Drawing, Sheet]) -> None:
    _, sheet = drawn
    for way in sheet.arrows:
        for (x, y), (u, v) in pairwise(way):
            assert x == pytest.approx(u) or y == pytest.approx(v)  # upright or level
            for slot in sheet.boxes:
                left, top, right, bottom = ends(slot)
                crosses = min(x, u) < right and left < max(x, u) and min(y, v) < bottom - 1 and top + 1 < max(y, v)
                assert not crosses, (slot.node, way)


def test_frames_lie_around_their_boxes(drawn: tuple[Drawing, Sheet]) -> None:
    drawing, sheet = drawn
    assert len(sheet.frames) == len(drawing.frames)
    for frame, place in zip(drawing.frames, sheet.frames, strict=True):
        assert place.text.startswith(f"{frame.times} times, to ")
        assert 0 < place.x < place.x + place.width < sheet.width
        for slot in sheet.boxes:
            left, top, right, bottom = ends(slot)
            inside = place.x < left and right < place.x + place.width
            inside = inside and place.y < top and bottom < place.y + place.height
            assert inside == (slot.node in frame.nodes)


def test_the_svg_says_what_the_boxes_say(drawn: tuple[Drawing, Sheet]) -> None:
    _, sheet = drawn
    root = ElementTree.fromstring(svg(sheet))
    said = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert said == [frame.text for frame in sheet.frames] + [line for slot in sheet.boxes for line in slot.lines]
    assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}polyline")) == len(sheet.arrows)


def test_the_png_is_as_large_as_the_sheet_and_shows_the_boxes() -> None:
    sheet = lay_out(drawing_of("lenet"))
    picture = Image.open(BytesIO(png(sheet)))
    assert picture.size == (round(sheet.width * SCALE), round(sheet.height * SCALE))
    for slot in sheet.boxes:
        inside = picture.getpixel((round((slot.x - slot.width / 2 + 6) * SCALE), round((slot.y + 6) * SCALE)))
        assert inside != (255, 255, 255)
    assert picture.getpixel((2, 2)) == (255, 255, 255)


def test_dot_has_a_node_an_edge_and_a_cluster_for_each() -> None:
    drawing = drawing_of("resnet50")
    written = dot(drawing, "resnet50")
    assert written.startswith('digraph "resnet50" {')
    assert written.count(" -> ") == sum(len(node.inputs) for node in drawing.nodes)
    assert written.count("[label=") == len(drawing.nodes)
    assert written.count("subgraph cluster_") == len(drawing.frames)
    assert written.count("{") == written.count("}")


def test_special_characters_are_escaped() -> None:
    drawing = Drawing([Node("", "input", output=(1,))], [])
    drawing.nodes.append(Node('a"<b>\\', "Layer", output=(1,), inputs=drawing.nodes[:1]))
    assert '"a\\"<b>\\\\\\nLayer\\n1"' in dot(drawing, "x")
    ElementTree.fromstring(svg(lay_out(drawing)))
