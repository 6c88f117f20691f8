"""Several exported models as one graph, which averages what they say. Never imports torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from multicnn.bundle.read import Bundle
from multicnn.errors import UsageError

OUTPUT = "probabilities"
# What members have to have in common, and what a user calls it.
SHARED = {"pipeline": "pipelines", "labels": "classes", "reader": "reading", "input": "inputs"}


def check_alike(bundles: Sequence[Bundle]) -> None:
    """Makes sure that models can be averaged: same pipeline, same classes in the same order, same reading.

    Raises:
        UsageError: fewer than two, or two that differ.
    """
    if len(bundles) < 2:
        raise UsageError(f"an ensemble has at least two members, not {len(bundles)}")
    first = bundles[0]
    for other in bundles[1:]:
        for key, name in SHARED.items():
            ours, theirs = first.meta.get(key), other.meta.get(key)
            if ours != theirs:
                raise UsageError(
                    f"{first.model} and {other.model} differ in their {name} ({_difference(ours, theirs)}); "
                    "only models that read alike and know the same classes can be averaged"
                )


def _difference(ours: Any, theirs: Any) -> str:
    """The first thing that differs, shortly."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        key = next(key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key))
        one, other = ours.get(key), theirs.get(key)
        return key if isinstance(one, list) or isinstance(other, list) else f"{key} {one} and {other}"
    if isinstance(ours, list) and isinstance(theirs, list):
        lacking = [str(one) for one in {*ours} ^ {*theirs}]
        return f"{min(lacking)} is in one only" if lacking else "their order"
    return f"{ours} and {theirs}"


def merge_onnx(models: Sequence[Path], path: Path) -> str:
    """Writes one graph: all members see the same input, and the mean of their probabilities comes out.

    Args:
        models: .onnx files of multicnn's, with the same input and output.
        path: the file to write.

    Returns:
        The graph's name for bundle.json.

    Raises:
        UsageError: they are of different versions of ONNX.
    """
    import onnx
    from onnx import compose, helper

    members = [
        compose.add_prefix(onnx.load(model), f"member{number}/", rename_inputs=False)
        for number, model in enumerate(models, start=1)
    ]
    opsets = [{one.domain: one.version for one in member.opset_import} for member in members]
    if any(opset != opsets[0] for opset in opsets):
        raise UsageError(f"{models[0].parent} and its fellows were exported for different opsets; export them anew")
    first = members[0].graph
    outputs = [member.graph.output[0].name for member in members]
    result = onnx.ValueInfoProto()
    result.CopyFrom(first.output[0])
    result.name = OUTPUT
    graph = helper.make_graph(
        [*(node for member in members for node in member.graph.node), helper.make_node("Mean", outputs, [OUTPUT])],
        "ensemble",
        list(first.input),
        [result],
        [tensor for member in members for tensor in member.graph.initializer],
    )
    merged = helper.make_model(
        graph,
        opset_imports=list(members[0].opset_import),
        ir_version=max(member.ir_version for member in members),
        functions=[function for member in members for function in member.functions],
    )
    onnx.save(merged, path)
    return f"mean of {len(members)}"
