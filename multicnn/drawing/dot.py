"""A drawing as text for Graphviz."""

from collections.abc import Iterator

from multicnn.drawing.graph import Node
from multicnn.drawing.rows import text
from multicnn.drawing.sheet import frame_text
from multicnn.drawing.simplify import Drawing, Frame
from multicnn.drawing.style import FRAME, QUIET, fill


def dot(drawing: Drawing, title: str) -> str:
    """A directed graph in the DOT language; repeated parts are clusters.

    Args:
        drawing: what is drawn.
        title: the graph's name.
    """
    name = {node: f"n{number}" for number, node in enumerate(drawing.nodes)}
    parts = [f"digraph {_quoted(title)} {{", '  node [shape=box, style="rounded,filled", fontname="Helvetica"];']
    for node in drawing.nodes:
        parts.append(f"  {name[node]} [label={_quoted(*text(node))}, fillcolor={_quoted(fill(node))}];")
        parts += [f"  {name[one]} -> {name[node]};" for one in node.inputs]
    parts += _clusters(drawing.frames, name, "  ")
    return "\n".join([*parts, "}"]) + "\n"


def _clusters(frames: list[Frame], name: dict[Node, str], indent: str) -> Iterator[str]:
    """The outermost frames, each with those in it; an inner one comes behind the one around it."""
    rest = list(frames)
    while rest:
        outer = rest.pop(0)
        inner = [one for one in rest if set(one.nodes) <= set(outer.nodes)]
        rest = [one for one in rest if one not in inner]
        look = {
            "label": frame_text(outer),
            "labeljust": "l",
            "style": "rounded,filled",
            "fillcolor": FRAME,
            "color": QUIET,
        }
        yield f"{indent}subgraph cluster_{name[outer.nodes[0]]}_{len(outer.nodes)} {{"
        yield f"{indent}  " + " ".join(f"{key}={_quoted(value)};" for key, value in look.items())
        yield f"{indent}  {'; '.join(name[node] for node in outer.nodes)};"
        yield from _clusters(inner, name, indent + "  ")
        yield indent + "}"


def _quoted(*lines: str) -> str:
    """One string of the DOT language."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
