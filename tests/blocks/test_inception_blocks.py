"""The modules of Inception-v4 and Inception-ResNet-v2, against timm's, and over 1, 2 and 3 axes."""

from typing import Any

import pytest
import torch
from block_checks import assert_learns, assert_same_in_onnx
from torch import nn

from multicnn.blocks.inception_resnet import Block8, Block17, Block35, Mixed5b
from multicnn.blocks.inception_resnet import ReductionB as ResidualReductionB
from multicnn.blocks.inception_unit import InceptionUnit, along_each_axis
from multicnn.blocks.inception_v4 import (
    InceptionA,
    InceptionB,
    InceptionC,
    ReductionA,
    ReductionB,
    StemFork,
    StemReduction,
)
from multicnn.blocks.pooling import AveragePool

SIDES = (7, 8, 9)

# Ours over some axes; timm's module and class; channels in; channels out over 2 axes; whether it halves the size.
BLOCKS: dict[str, tuple[Any, str, str, int, int, bool]] = {
    "stem_pool": (lambda d: StemReduction(64, 96, pool_first=True, dims=d), "inception_v4", "Mixed3a", 64, 160, True),
    "stem_fork": (lambda d: StemFork(dims=d), "inception_v4", "Mixed4a", 160, 192, False),
    "stem_conv": (
        lambda d: StemReduction(192, 192, pool_first=False, dims=d),
        *("inception_v4", "Mixed5a", 192, 384, True),
    ),
    "a": (lambda d: InceptionA(dims=d), "inception_v4", "InceptionA", 384, 384, False),
    "reduction_a": (
        lambda d: ReductionA(384, 192, 224, 256, 384, dims=d),
        *("inception_v4", "ReductionA", 384, 1024, True),
    ),
    "b": (lambda d: InceptionB(dims=d), "inception_v4", "InceptionB", 1024, 1024, False),
    "reduction_b": (lambda d: ReductionB(dims=d), "inception_v4", "ReductionB", 1024, 1536, True),
    "c": (lambda d: InceptionC(dims=d), "inception_v4", "InceptionC", 1536, 1536, False),
    "5b": (lambda d: Mixed5b(dims=d), "inception_resnet_v2", "Mixed_5b", 192, 320, False),
    "35": (lambda d: Block35(dims=d), "inception_resnet_v2", "Block35", 320, 320, False),
    "6a": (
        lambda d: ReductionA(320, 256, 256, 384, 384, dims=d),
        *("inception_resnet_v2", "Mixed_6a", 320, 1088, True),
    ),
    "17": (lambda d: Block17(dims=d), "inception_resnet_v2", "Block17", 1088, 1088, False),
    "7a": (lambda d: ResidualReductionB(dims=d), "inception_resnet_v2", "Mixed_7a", 1088, 2080, True),
    "8": (lambda d: Block8(dims=d), "inception_resnet_v2", "Block8", 2080, 2080, False),
}
SCALES = {"35": 0.17, "17": 0.1, "8": 0.2}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", BLOCKS)
def test_agrees_with_timm(name: str) -> None:
    pytest.importorskip("timm")
    from functools import partial
    from importlib import import_module

    from timm.layers import ConvNormAct

    make, module, kind, channels, _, _ = BLOCKS[name]
    unit = partial(ConvNormAct, padding=0, norm_kwargs={"eps": 1e-3}, act_kwargs={"inplace": True})
    scale = {"scale": SCALES[name]} if name in SCALES else {}
    theirs = getattr(import_module(f"timm.models.{module}"), kind)(conv_block=unit, **scale).double()
    ours = make(2).double()
    for key, tensor in theirs.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.1 if "running" in key else 0.1 * torch.randn_like(tensor))
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, channels, 9, 8, dtype=torch.float64)
    for training in (False, True):
        a, b = ours.train(training)(x), theirs.train(training)(x)
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8 * b.abs().max().item())


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", BLOCKS)
def test_one_implementation_for_every_number_of_axes(name: str, dims: int) -> None:
    make, _, _, channels, channels_out, halves = BLOCKS[name]
    with torch.device("meta"):
        module = make(dims)
        y = module(torch.empty(2, channels, *SIDES[:dims]))
    if name == "c":
        channels_out = 512 + 512 * dims
    sides = [(side - 1) // 2 if halves else side - 2 if name == "stem_fork" else side for side in SIDES[:dims]]
    assert y.shape == (2, channels_out, *sides)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_wide_filter_becomes_a_step_along_each_axis(dims: int) -> None:
    steps = along_each_axis(3, 4, 5, 7, dims=dims)
    kernels = [step.conv.kernel for step in steps]
    assert [kernel.index(7) for kernel in kernels] == list(reversed(range(dims)))
    assert all(sorted(kernel) == [1] * (dims - 1) + [7] for kernel in kernels)
    backwards = along_each_axis(3, 4, 5, 7, dims=dims, first_axis_first=True)
    assert [step.conv.kernel for step in backwards] == kernels[::-1]
    x = torch.zeros(1, 3, *[15] * dims, requires_grad=True)
    y = nn.Sequential(*(step.conv for step in steps))(x)
    y[(0, 0, *[7] * dims)].backward()  # the place in the middle sees 7 along each axis
    seen = x.grad.abs().sum((0, 1)).nonzero()
    assert seen.shape[0] == 7**dims


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_residual_module_adds_its_scaled_correction(dims: int) -> None:
    x = torch.randn(2, 320, *[5] * dims)
    module = Block35(scale=0.25, dims=dims).eval()
    seen = torch.cat([getattr(module, name)(x) for name in module.branches], dim=1)
    torch.testing.assert_close(module(x), (x + 0.25 * module.conv2d(seen)).relu())
    assert (Block8(rectify=False).eval()(torch.randn(1, 2080, 3, 3)) < 0).any()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_places_outside_do_not_count_in_the_mean(dims: int) -> None:
    x = torch.ones(1, 2, *[4] * dims)
    assert torch.equal(AveragePool(3, 1, padding=1, count_border=False, dims=dims)(x), x)
    assert AveragePool(3, 1, padding=1, dims=dims)(x).min().item() == pytest.approx((2 / 3) ** dims)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_they_learn(dims: int) -> None:
    module = nn.Sequential(Mixed5b(dims=dims), Block35(dims=dims))
    assert_learns(module, module(torch.randn(3, 192, *[4] * dims)))


def test_they_export() -> None:
    module = nn.Sequential(InceptionUnit(3, 64), StemReduction(64, 96, pool_first=True), StemFork(), InceptionA(192))
    module(torch.randn(4, 3, 12, 11))
    assert_same_in_onnx(module, torch.randn(2, 3, 12, 11), atol=1e-4)
