"""Fewer boxes: light layers join the layer before them, repeated parts are drawn once, inner parts are folded."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from multicnn.drawing.graph import Graph, Node

WHOLE = 42  # boxes that one sheet takes without frames
MOST = 64
LONGEST = 4  # items of one repeated part


@dataclass(slots=True)
class Frame:
    """A part that stands for several alike.

    Attributes:
        nodes: of the first of them, which is drawn.
        times: how many there are.
        output: the last one's shape.
        parameters: of all of them.
    """

    nodes: list[Node]
    times: int
    output: tuple[int, ...]
    parameters: int


@dataclass(slots=True)
class Drawing:
    """What is drawn: boxes, each behind its inputs, and frames around repeated parts."""

    nodes: list[Node]
    frames: list[Frame]


def simplify(graph: Graph, whole: int = WHOLE, most: int = MOST) -> Drawing:
    """As much detail as fits on a sheet.

    Light layers (normalisation, activation, dropout) are written into the box of the layer before them, where nothing
    else takes its output. If that is too much, parts that follow each other and are equal are drawn once; then those
    that differ in their channels only; then the innermost modules become a box each, then those around them.

    Args:
        graph: is not changed.
        whole: up to so many boxes everything is drawn.
        most: the most boxes otherwise, where folding can keep it.
    """
    merged = _merge_light(graph.copy())
    if len(merged.nodes) <= whole:
        return Drawing(merged.nodes, [])
    deepest = max(len(node.scopes) for node in merged.nodes)
    attempts = [(deepest + 1, False), *((depth, True) for depth in range(deepest + 1, 0, -1))]
    drawing = Drawing(merged.nodes, [])
    for depth, loosely in attempts:
        drawing = _without_copies(_fold(merged.copy(), depth), loosely)
        if len(drawing.nodes) <= most:
            break
    return drawing


def _without_copies(graph: Graph, loosely: bool) -> Drawing:
    """Draws parts that repeat once, in a frame."""
    frames: list[Frame] = []
    stands: dict[Node, Node] = {}
    kept = _collapse(graph.nodes, 0, loosely, frames, stands)
    for node in kept:
        node.inputs = list(dict.fromkeys(_stand(one, stands) for one in node.inputs))
    for frame in frames:
        frame.nodes = [node for node in frame.nodes if node not in stands]
    return Drawing(kept, frames)


def _stand(node: Node, stands: dict[Node, Node]) -> Node:
    """The node that is drawn for this one."""
    while node in stands:
        node = stands[node]
    return node


def _merge_light(graph: Graph) -> Graph:
    """Writes light layers into the box before them, where they alone take its output."""
    takers = Counter(one for node in graph.nodes for one in node.inputs)
    stands: dict[Node, Node] = {}
    kept = []
    for node in graph.nodes:
        node.inputs = [stands.get(one, one) for one in node.inputs]
        before = node.inputs[0] if len(node.inputs) == 1 else None
        if node.light and before is not None and takers[before] == 1 and _may_stand_for(before, node):
            before.also += (node.kind, *node.also)
            before.parameters += node.parameters
            before.output = node.output
            takers[before] = takers[node]
            stands[node] = before
        else:
            kept.append(node)
    return Graph(kept, graph.kinds)


def _may_stand_for(before: Node, node: Node) -> bool:
    """A sum or a concatenation takes only what its own module does next: parts that repeat stay alike."""
    return before.kind != "input" and (not before.is_join or before.scopes == node.scopes)


def _fold(graph: Graph, depth: int) -> Graph:
    """Makes one box of every call of a module that lies deeper than this."""
    sizes = Counter(node.scopes[:depth] for node in graph.nodes if len(node.scopes) >= depth)
    boxes: dict[tuple[str, ...], Node] = {}
    stands: dict[Node, Node] = {}
    for node in graph.nodes:
        key = node.scopes[:depth]
        if sizes[key] < 2:  # a box of its own already
            continue
        name = key[-1].partition("#")[0]
        box = boxes.setdefault(key, Node(name, graph.kinds[key[-1]], scopes=key[:-1]))
        stands[node] = box
        box.output = node.output
        box.parameters += node.parameters
    kept: list[Node] = []
    for node in graph.nodes:
        box = stands.get(node, node)
        outside = [stands.get(one, one) for one in node.inputs]
        known = box.inputs if box is not node else []
        box.inputs = list(dict.fromkeys([*known, *(one for one in outside if one is not box)]))
        if box in kept:  # behind all of its inputs
            kept.remove(box)
        kept.append(box)
    return Graph(kept, graph.kinds)


def _collapse(
    nodes: list[Node], depth: int, loosely: bool, frames: list[Frame], stands: dict[Node, Node]
) -> list[Node]:
    """The nodes without the copies of repeated parts, the outermost first; each copy's nodes get a stand-in."""
    kept: list[Node] = []
    items = list(_items(nodes, depth))
    at = 0
    while at < len(items):
        period, times = _repeats(items, at, loosely)
        first = [node for item in items[at : at + period] for node in item]
        copies = [
            [node for item in items[at + turn * period : at + (turn + 1) * period] for node in item]
            for turn in range(1, times)
        ]
        if copies:
            total = sum(node.parameters for part in (first, *copies) for node in part)
            frames.append(Frame(first, times, copies[-1][-1].output, total))
            stands.update({node: ours for copy in copies for node, ours in zip(copy, first, strict=True)})
        for item in items[at : at + period]:
            inside = len(item[0].scopes) > depth
            kept += _collapse(item, depth + 1, loosely, frames, stands) if inside else item
        at += period * times
    return kept


def _items(nodes: list[Node], depth: int) -> Iterator[list[Node]]:
    """The parts of a module, in order: the calls of its children with all that is in them, and what it does itself."""
    item: list[Node] = []
    for node in nodes:
        same = item and node.scopes[depth : depth + 1] == item[0].scopes[depth : depth + 1] != ()
        if item and not same:
            yield item
            item = []
        item.append(node)
    if item:
        yield item


def _signature(item: list[Node], loosely: bool) -> tuple[object, ...]:
    """Equal for parts that would be drawn alike; loosely, whatever their channels are."""
    place = {node: number for number, node in enumerate(item)}
    signs = []
    for node in item:
        way = tuple(place.get(one, -1) for one in node.inputs)
        exact = () if loosely else (node.output, node.parameters)
        detail = "" if loosely and " to " in node.detail else node.detail
        signs.append((node.kind, detail, node.also, node.output[1:], way, exact))
    return tuple(signs)


def _repeats(items: list[list[Node]], at: int, loosely: bool) -> tuple[int, int]:
    """The period and the number of the repeats that begin here; the longest stretch, by the shortest period."""
    best = (1, 1)
    for period in range(1, LONGEST + 1):
        starts = range(at, len(items) - period + 1, period)
        parts = [[node for item in items[start : start + period] for node in item] for start in starts]
        times = 1
        while times < len(parts) and _follows(parts[times - 1], parts[times], loosely):
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def _follows(before: list[Node], part: list[Node], loosely: bool) -> bool:
    """Whether a part is like the one before it and takes that one's output alone; a single box has to be equal."""
    loosely = loosely and len(part) > 1
    if _signature(before, loosely) != _signature(part, loosely):
        return False
    known = {*before, *part}
    return all(one in known for node in part for one in node.inputs)
