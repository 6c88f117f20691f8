"""A folded TextCNN by NumPy: what ONNX Runtime computes from the same file, and what the network does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from folded_models import WORDS, folded_model

from multicnn.bundle.constants import constants
from multicnn.bundle.read import open_bundle
from multicnn.data.ragged import Packer, Ragged
from multicnn.inference import fused, lookups
from multicnn.inference.fused import compiled
from multicnn.inference.lookups import LookUps, open_lookups
from multicnn.inference.predictor import Predictor
from multicnn.inference.strongest import Strongest

NETWORKS: list[dict[str, Any]] = [
    {},
    {"windows": (5, 1, 3)},
    {"windows": (2,)},
    *({"ngrams": longest, "buckets": 512} for longest in (1, 2, 3)),
]


def opened(run: Path) -> LookUps:
    tables = open_lookups(open_bundle(run))
    assert tables is not None
    return tables


def texts(count: int, longest: int = 40) -> list[np.ndarray]:
    """Of all lengths, in no order; word 1 is the unknown one."""
    chance = np.random.default_rng(0)
    return [chance.integers(1, WORDS + 2, chance.integers(1, longest + 1)).astype(np.int32) for _ in range(count)]


def packed(arrays: list[np.ndarray]) -> Ragged:
    packer = Packer()
    for array in arrays:
        packer.add(array)
    return packer.packed()


@pytest.mark.parametrize("options", NETWORKS, ids=str)
def test_they_answer_as_the_graph_and_as_the_network(options: dict[str, Any], tmp_path: Path) -> None:
    model, run = folded_model(tmp_path / "model", **options)
    arrays = [*texts(300), np.array([1], np.int32), np.array([5], np.int32)]
    found = opened(run).probabilities(packed(arrays))
    assert found.dtype == np.float32
    predictor = Predictor(open_bundle(run))
    np.testing.assert_allclose(found, predictor.probabilities(arrays), rtol=0, atol=2e-6)
    with torch.no_grad():
        expected = model(torch.from_numpy(predictor.reader.collate(arrays))).softmax(1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert (found.argmax(1) == expected.argmax(1).numpy()).mean() > 0.99


@pytest.mark.parametrize("windows", [(3, 4, 5), (2,), (4, 2), (1,), (6,)])
def test_after_many_texts_the_answers_are_the_same(
    windows: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = opened(folded_model(tmp_path / "model", windows=windows)[1])
    compilations: list[Strongest] = []
    monkeypatch.setattr(fused, "compiled", lambda: compilations.append(compiled()) or compilations[0])
    arrays = packed([*texts(50), np.array([1], np.int32)])
    monkeypatch.setattr(lookups, "MANY_WINDOWS", len(arrays.flat))
    first, *others = [tables.probabilities(arrays) for _ in range(3)]
    assert len(compilations) == (1 < max(windows) < 6)
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_the_loop_is_compiled_where_it_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*signature: Any, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("no locator available")
        return lambda function: function

    monkeypatch.setattr(fused, "njit", refuse)
    table = np.array([[0], [0], [3], [-4]], np.int16)  # padding and one word, two places
    strongest = np.empty((1, 1), np.int16)
    fused.compiled()(table, np.array([1, 1], np.int32), np.array([0]), np.array([2]), 2, strongest)
    assert strongest.tolist() == [[-1]]  # of 0 - 4 and 3 - 4


def test_n_grams_of_an_older_version_are_left_to_its_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = folded_model(tmp_path / "model", ngrams=2, buckets=512)[1]
    renamed = {name.replace("bag.weights", "bag.table"): some for name, some in constants(run / "model.onnx").items()}
    monkeypatch.setattr(lookups, "constants", lambda path: renamed)
    assert open_lookups(open_bundle(run)) is None


def test_the_answer_to_a_text_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    tables = opened(folded_model(tmp_path / "model", ngrams=2, buckets=512)[1])
    arrays = [*texts(40), *texts(2, 1500)]
    together = tables.probabilities(packed(arrays))
    for array, expected in zip(arrays, together, strict=True):
        np.testing.assert_allclose(tables.probabilities(packed([array]))[0], expected, rtol=0, atol=2e-6)


def test_other_graphs_are_left_to_onnx_runtime(tmp_path: Path) -> None:
    _, run = folded_model(tmp_path / "model")
    meta = run / "bundle.json"
    for change in ({"graph": "plain"}, {"graph": "mean of 2"}, {"pipeline": "tokens"}):
        content = json.loads(meta.read_text())
        meta.write_text(json.dumps(content | change))
        assert open_lookups(open_bundle(run)) is None
        meta.write_text(json.dumps(content))
    content["reader"]["truncate"] = "windows"
    meta.write_text(json.dumps(content))
    assert open_lookups(open_bundle(run)) is None
