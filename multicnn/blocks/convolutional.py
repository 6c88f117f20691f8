"""Fully connected to convolutional: a trained head that slides over inputs of any size."""

import copy
import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from multicnn.blocks.activation import ACTIVATIONS, GATES
from multicnn.blocks.arithmetic import run_on_meta
from multicnn.blocks.backbone import Backbone
from multicnn.blocks.convolution import Convolution
from multicnn.blocks.dropout import Dropout
from multicnn.blocks.normalisation import BatchNorm, LayerNorm, LocalResponseNorm
from multicnn.blocks.pooling import AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool, WindowPool
from multicnn.blocks.pooling_regions import RegionPool

Shape = tuple[int, ...]  # channels, and the extent along each axis
Layer = TypeVar("Layer", bound=nn.Module)

# They do the same to every place, wherever it is, or are windows that slide already.
KEPT = (
    *(type(make()) for make in (ACTIVATIONS | GATES).values()),
    *(nn.Identity, nn.ReLU6, nn.Hardswish, nn.Dropout, nn.Dropout2d, Dropout),
    *(BatchNorm, LocalResponseNorm, Convolution, WindowPool),
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.BatchNorm2d, nn.BatchNorm3d),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
)
AVERAGES = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
MAXIMA = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)


def sliding(network: Backbone, shape: Sequence[int]) -> nn.Sequential:
    """A whole network whose head is convolutional.

    Args:
        network: trained on inputs of one size.
        shape: of its inputs, [channels, ...].

    Returns:
        Maps [batch, channels, ...] of that size or larger to logits [batch, classes, ...]: one answer for each place
        of the input at which the network fits, in one pass. On the size itself it is the network's own.

    Raises:
        ValueError: as in `convolutional`.
    """
    features = copy.deepcopy(network.features)
    maps = _output_shape(features, tuple(shape))
    parts = OrderedDict(features=features, head=convolutional(network.head, maps))
    return _in_mode_of(network, nn.Sequential(parts))


def convolutional(head: nn.Module, shape: Sequence[int]) -> nn.Module:
    """Turns a head's fully connected layers into convolutions with the same weights.

    A linear layer behind maps of C x F x F is a convolution with kernels of C x F x F, and one behind a vector is a
    1 x 1 convolution. On larger maps they slide, and share all work where windows overlap; a pooling over the whole
    map becomes one over windows of F x F. Sermanet et al. 2013, "OverFeat", section 3.5; Long et al. 2015, "Fully
    Convolutional Networks for Semantic Segmentation", section 3.1.

    Args:
        head: a layer, or layers in (nested) nn.Sequential, which keep their names. It is not changed.
        shape: of the maps that it was trained on, [channels, ...] without the batch.

    Returns:
        Maps [batch, channels, ...] to [batch, classes, ...]; on maps of `shape`, 1 along each axis, with the head's own
        logits.

    Raises:
        ValueError: a layer that has no convolutional form.
    """
    return _convert(head, tuple(shape))[0]


def _convert(layer: nn.Module, shape: Shape) -> tuple[nn.Module, Shape]:
    """A layer's sliding form, and the shape of what it gives on maps of `shape`."""
    if isinstance(layer, nn.Sequential):
        return _convert_each(layer, shape)
    if isinstance(layer, nn.Flatten):
        return _flatten(layer), shape  # the next linear layer becomes as wide as the maps
    if isinstance(layer, nn.Linear):
        return _convolution(layer, shape), (layer.out_features, *[1] * len(shape[1:]))
    if isinstance(layer, (GlobalAveragePool, GlobalMaxPool, RegionPool, *AVERAGES, *MAXIMA)):
        return _window(layer, shape)
    if isinstance(layer, nn.BatchNorm1d) and max(shape[1:]) == 1:
        return _batch_norm(layer), shape
    if isinstance(layer, KEPT) or (isinstance(layer, LayerNorm) and layer.each_place):
        kept = copy.deepcopy(layer)
        return kept, _output_shape(kept, shape)
    raise ValueError(f"{type(layer).__name__} has no form that slides over maps")


def _convert_each(layers: nn.Sequential, shape: Shape) -> tuple[nn.Sequential, Shape]:
    converted = OrderedDict[str, nn.Module]()
    for name, layer in layers.named_children():
        converted[name], shape = _convert(layer, shape)
    return _in_mode_of(layers, nn.Sequential(converted)), shape


def _flatten(layer: nn.Flatten) -> nn.Module:
    if (layer.start_dim, layer.end_dim) != (1, -1):
        raise ValueError(
            f"only a flattening of all axes but the batch slides, not of {layer.start_dim} to {layer.end_dim}"
        )
    return nn.Identity()


def _convolution(linear: nn.Linear, shape: Shape) -> Convolution:
    channels, *sides = shape
    if linear.in_features != math.prod(shape):
        size = " x ".join(map(str, shape))
        raise ValueError(f"a linear layer of {linear.in_features} inputs does not fit maps of {size}")
    weight, bias = _weights(linear)
    with torch.device("meta"):  # its own random weights are not needed
        conv = Convolution(channels, linear.out_features, sides, dims=len(sides), bias=bias is not None)
    conv.weight = nn.Parameter(weight.view(-1, *shape))
    conv.bias = None if bias is None else nn.Parameter(bias)
    return _in_mode_of(linear, conv)


@torch.no_grad()
def _weights(linear: nn.Linear) -> tuple[Tensor, Tensor | None]:
    """What the layer does, as a matrix and a vector; a subclass may do more than its weights say, such as scaling."""
    if type(linear) is nn.Linear:
        return linear.weight.clone(), None if linear.bias is None else linear.bias.clone()
    bias = linear(torch.zeros_like(linear.weight[:1]))
    unit = torch.eye(linear.in_features, dtype=linear.weight.dtype, device=linear.weight.device)
    return (linear(unit) - bias).T.contiguous(), bias[0]


def _window(layer: nn.Module, shape: Shape) -> tuple[nn.Module, Shape]:
    """A pooling to a fixed size, as windows that are as large on maps of any size."""
    channels, *sides = shape
    pool = _reduction(layer)
    vector = isinstance(layer, (GlobalAveragePool, GlobalMaxPool))
    counts = [1] * len(sides) if vector else list(_output_shape(layer, shape)[1:])
    if any(side % count for side, count in zip(sides, counts, strict=True)):
        raise ValueError(f"{type(layer).__name__} cuts {sides} into {counts} uneven regions, which do not slide")
    if counts == sides:
        return nn.Identity(), shape
    kernel = [side // count for side, count in zip(sides, counts, strict=True)]
    stride = [1 if count == 1 else extent for extent, count in zip(kernel, counts, strict=True)]
    return pool(kernel, stride, dims=len(sides)), (channels, *counts)


def _reduction(layer: nn.Module) -> type[WindowPool]:
    if isinstance(layer, RegionPool) and layer.reduce == "min":
        raise ValueError(f"{type(layer).__name__} takes minima, for which there is no window that slides")
    average = isinstance(layer, (GlobalAveragePool, *AVERAGES))
    average = average or (isinstance(layer, RegionPool) and layer.reduce == "average")
    return AveragePool if average else MaxPool


def _batch_norm(layer: nn.BatchNorm1d) -> BatchNorm:
    norm = BatchNorm(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    norm.load_state_dict(copy.deepcopy(layer.state_dict()), assign=True)  # in their type and on their device
    return _in_mode_of(layer, norm)


def _output_shape(layer: nn.Module, shape: Shape) -> Shape:
    """What becomes of maps of `shape`; found without arithmetic."""
    pair = torch.empty(2, *shape, dtype=_dtype(layer))  # batch normalisation refuses one in training
    try:
        return tuple(run_on_meta(layer, pair).shape[1:])
    except RuntimeError as error:
        size = " x ".join(map(str, shape))
        raise ValueError(f"{type(layer).__name__} does not fit maps of {size}: {error}") from error


def _dtype(layer: nn.Module) -> torch.dtype:
    return next((parameter.dtype for parameter in layer.parameters()), torch.get_default_dtype())


def _in_mode_of(old: nn.Module, new: Layer) -> Layer:
    """In training or in use, as the old layer was; the layers inside have their own mode already."""
    new.training = old.training
    return new
