"""A network as training sees it: stages from the input on, and the layer that gives the logits."""

from torch import nn

from multicnn.blocks.backbone import Network
from multicnn.blocks.classifier import last_layer

Stage = list[nn.Module]


def stages(network: Network) -> list[Stage]:
    """The parts of the features that have weights, from the input on; the head is none of them.

    A stage begins at each child with a weight of two axes or more; what has only scales and shifts, such as a
    normalisation, belongs to the stage before it. Where a foreign library's network has no `features`, its own children
    without the head are taken.

    Args:
        network: any of the catalogue, or a foreign one.
    """
    found: list[Stage] = []
    for child in _children(network):
        weights = list(child.parameters())
        if any(weight.ndim > 1 for weight in weights) or (weights and not found):
            found.append([child])
        elif weights:
            found[-1].append(child)
    return found


def _children(network: Network) -> list[nn.Module]:
    features = getattr(network, "features", None)
    if isinstance(features, nn.Module):
        return list(features.children())
    head = {id(weight) for weight in _head(network).parameters()}
    inside = network.get_submodule("network").children()
    return [child for child in inside if head.isdisjoint(id(weight) for weight in child.parameters())]


def _head(network: Network) -> nn.Module:
    head = network.head
    assert isinstance(head, nn.Module)
    return head


def output_layer(network: Network) -> nn.Parameter:
    """The weight of the layer that gives the logits, [classes, ...]."""
    return [weight for weight in last_layer(network).parameters(recurse=False) if weight.ndim > 1][-1]
