import math

import numpy as np
import pytest
import torch
from block_checks import assert_same_in_onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from multicnn.blocks.pooling_regions import (
    AdaptivePool,
    DynamicPool,
    SequencePyramidPool,
    SequenceRegionPool,
    SpatialPyramidPool,
)

REDUCE = {"max": np.max, "average": np.mean, "min": np.min}
SIDES = st.lists(st.integers(1, 9), min_size=1, max_size=3)


def pool_by_hand(x: np.ndarray, regions: list[list[list[int]]], reduce: str) -> np.ndarray:
    """The definition, for one channel: for each axis, the places of each region."""
    y = np.empty([len(axis) for axis in regions])
    for region in np.ndindex(*y.shape):
        y[region] = REDUCE[reduce](x[np.ix_(*[axis[i] for axis, i in zip(regions, region, strict=True)])])
    return y


def adaptive(side: int, count: int) -> list[list[int]]:
    return [list(range(math.floor(i * side / count), math.ceil((i + 1) * side / count))) for i in range(count)]


def dynamic(side: int, count: int) -> list[list[int]]:
    """Socher's recipe: repeat the places until there are enough, share them out, the leftovers to the last regions."""
    places, repeat = list(range(side)), 1
    while len(places) < count:
        repeat += 1
        places = [place for place in range(side) for _ in range(repeat)]
    long, leftover = divmod(len(places), count)
    regions = []
    for i in range(count):
        length = long + (i >= count - leftover)
        regions.append(sorted(set(places[:length])))
        places = places[length:]
    return regions


@given(sides=SIDES, count=st.integers(1, 5), reduce=st.sampled_from(list(REDUCE)), seed=st.integers(0, 10_000))
def test_agree_with_the_definition(sides: list[int], count: int, reduce: str, seed: int) -> None:
    x = torch.randn(1, 2, *sides, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for kind, divide in ((AdaptivePool, adaptive), (DynamicPool, dynamic)):
        y = kind(count, reduce=reduce, dims=len(sides))(x)
        regions = [divide(side, count) for side in sides]
        for channel in range(2):
            np.testing.assert_allclose(y[0, channel].numpy(), pool_by_hand(x[0, channel].numpy(), regions, reduce))


@given(side=st.integers(1, 40), count=st.integers(1, 12))
def test_dynamic_regions_hold_every_place_and_differ_by_one_at_most(side: int, count: int) -> None:
    regions = [list(range(start, end)) for start, end in DynamicPool.divide(side, count)]
    assert {place for region in regions for place in region} == set(range(side))
    if count <= side:
        assert sum(map(len, regions)) == side
        assert {len(region) for region in regions} <= {side // count, side // count + 1}
        assert [len(region) for region in regions] == sorted(len(region) for region in regions)


@pytest.mark.parametrize("size", [(3, 2), (1, 1), (7, 5)])
def test_adaptive_pools_are_torchs(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, 7, 5)
    torch.testing.assert_close(AdaptivePool(size)(x), nn.AdaptiveMaxPool2d(size)(x))
    torch.testing.assert_close(AdaptivePool(size, reduce="average")(x), nn.AdaptiveAvgPool2d(size)(x))


@pytest.mark.parametrize(("dims", "width"), [(1, 7), (2, 21), (3, 73)])
def test_a_pyramid_makes_one_vector_of_any_input(dims: int, width: int) -> None:
    pool = SpatialPyramidPool((4, 2, 1), dims=dims)
    assert pool.regions == width
    for side in (1, 3, 4, 7):
        assert pool(torch.randn(2, 5, *[side] * dims)).shape == (2, 5 * width)


def test_a_pyramids_levels_follow_each_other() -> None:
    x = torch.randn(2, 3, 6, 5)
    parts = [nn.functional.adaptive_max_pool2d(x, level).flatten(1) for level in (3, 1)]
    torch.testing.assert_close(SpatialPyramidPool((3, 1))(x), torch.cat(parts, 1))


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    levels=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
)
def test_a_sequences_pyramid_is_cut_by_its_own_length(lengths: list[int], levels: list[int], seed: int) -> None:
    x = torch.randn(len(lengths), 2, 9, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    y = SequencePyramidPool(levels)(x, mask)
    for i, length in enumerate(lengths):
        real = x[i, :, :length].numpy()
        parts = [[row[places].max() for row in real for places in dynamic(length, level)] for level in levels]
        assert y[i].tolist() == [value for part in parts for value in part]


def test_a_sequences_pyramid_sees_all_without_a_mask_and_zeros_where_nothing_is_real() -> None:
    pool, x = SequencePyramidPool((2, 1)), torch.randn(2, 3, 6)
    expected = torch.cat([x[..., :3].amax(2)[..., None], x[..., 3:].amax(2)[..., None]], dim=2).flatten(1)
    torch.testing.assert_close(pool(x), torch.cat([expected, x.amax(2)], dim=1))
    assert not pool(x, torch.zeros(2, 6, dtype=torch.bool)).any()


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = SequencePyramidPool((3, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, x[:, 0] != 0)


def test_a_sequences_pyramid_is_the_same_in_onnx_at_any_length() -> None:
    x = torch.randn(3, 4, 11)
    x[0, 0, 4:] = 0
    x[1, 0, 2:] = 0
    assert_same_in_onnx(Masked(), torch.randn(2, 4, 6), x, free=(0, 2))


def test_the_gradient_of_a_mean_is_shared_out() -> None:
    x = torch.zeros(1, 1, 5, requires_grad=True)
    DynamicPool(2, reduce="average", dims=1)(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([[[1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3]]]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdaptivePool(0), "not \\(0, 0\\)"),
        (lambda: AdaptivePool(2, dims=4), "not 4"),
        (lambda: DynamicPool(2, reduce="avergae"), "not avergae; did you mean average"),
        (lambda: SpatialPyramidPool(()), "at least one level"),
        (lambda: SequencePyramidPool(()), "at least one level"),
        (lambda: SequencePyramidPool((2, 0)), "at least 1 region, not 0"),
    ],
)
def test_refuses_what_is_no_grid(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "module",
    [AdaptivePool(9), DynamicPool(9, reduce="min")],
    ids=["adaptive", "dynamic"],
)
def test_more_regions_than_places_are_the_same_in_onnx(module: nn.Module) -> None:
    assert_same_in_onnx(module, torch.randn(2, 3, 7, 5))


def test_dynamic_regions_export_for_inputs_of_any_size_with_a_place_for_each() -> None:
    sizes = [(2, 3, 9, 8), (1, 3, 11, 9), (3, 3, 4, 20), (1, 3, 3, 5)]
    assert_same_in_onnx(DynamicPool((3, 5)), *map(torch.randn, sizes), free=(0, 2, 3))


def test_a_pyramid_exports_for_inputs_of_any_size() -> None:
    sizes = [(2, 3, 7, 5), (1, 3, 9, 4), (3, 3, 12, 30)]
    assert_same_in_onnx(SpatialPyramidPool((3, 2, 1)), *map(torch.randn, sizes), free=(0, 2, 3))


def test_a_sequence_has_the_regions_of_its_own_length() -> None:
    lengths = [11, 5, 3, 2, 1]
    x = torch.randn(len(lengths), 4, 11)
    mask = torch.arange(11) < torch.tensor(lengths)[:, None]
    pooled = SequenceRegionPool(3)(x.masked_fill(~mask[:, None], 9.0), mask)
    for row, length in enumerate(lengths):
        assert torch.equal(pooled[row], DynamicPool(3, dims=1)(x[row : row + 1, :, :length])[0])


def test_a_sequence_of_nothing_gives_zeros() -> None:
    assert not SequenceRegionPool(2)(torch.randn(1, 3, 4), torch.zeros(1, 4, dtype=torch.bool)).any()
    x = torch.randn(2, 3, 7)
    assert torch.equal(SequenceRegionPool(2)(x), DynamicPool(2, dims=1)(x))


def test_sequence_regions_run_as_onnx_for_any_length() -> None:
    class Masked(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = SequenceRegionPool(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pooled: torch.Tensor = self.pool(x, x[:, 0] != 0)
            return pooled

    x = torch.randn(3, 2, 13)
    x[0, :, 2:] = 0
    x[1] = 0
    assert_same_in_onnx(Masked(), torch.randn(2, 2, 8), x, torch.randn(1, 2, 1), free=(0, 2))


def test_refuses_a_sequence_without_regions() -> None:
    with pytest.raises(ValueError, match="not 0"):
        SequenceRegionPool(0)
