"""Weight drift: the figures by hand, and what a run writes of itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from multicnn.bundle.tensors import load_tensors
from multicnn.recipe_files import load_recipe
from multicnn.training.drift import drift
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.train import train


def test_the_figures_are_those_of_the_definitions() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(2, 1, (4, 3, 5)).astype(np.float32)
    after = before + rng.normal(0, 0.3, before.shape).astype(np.float32)
    (layer,) = drift({"a.weight": torch.from_numpy(before)}, {"a.weight": torch.from_numpy(after)})
    assert layer["name"] == "a"
    assert layer["shape"] == [4, 3, 5]
    assert layer["correlation"] == pytest.approx(np.corrcoef(before.ravel(), after.ravel())[0, 1], abs=1e-6)
    assert layer["relative_change"] == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-5)


def test_what_did_not_move_and_what_was_nothing() -> None:
    moved, zeros, ones = torch.randn(3, 3), torch.zeros(3, 3), torch.ones(3, 3)
    same, from_nothing, alike = drift(
        {"same": moved, "from_nothing": zeros, "alike": ones}, {"same": moved, "from_nothing": moved, "alike": 2 * ones}
    )
    assert (same["correlation"], same["relative_change"]) == (pytest.approx(1), 0)
    assert (from_nothing["correlation"], from_nothing["relative_change"]) == (None, None)
    assert (alike["correlation"], alike["relative_change"]) == (None, pytest.approx(1))


def run_once(data: Path, folder: Path, **settings: Any) -> dict[str, Any]:
    tree = {"data.path": str(data), "model.arch": "lenet", "training.epochs": 2}
    tree |= {key.replace("__", "."): value for key, value in settings.items()}
    train(load_recipe("image", None, tree), RunFolder(folder), Reporter(quiet=True), 0.0)
    figures: dict[str, Any] = json.loads((folder / "drift.json").read_text())
    return figures


def test_a_run_tells_how_far_its_shipped_weights_have_come(few_pictures: Path, tmp_path: Path) -> None:
    first = run_once(few_pictures, tmp_path / "first")
    assert first["weights"] == "none"
    assert not RunFolder(tmp_path / "first").start.exists()
    second = run_once(few_pictures, tmp_path / "second", model__weights=str(tmp_path / "first"), training__ema=0.9)
    assert second["weights"] == str(tmp_path / "first")
    start, end = (load_tensors(tmp_path / name / "model/weights.safetensors")[0] for name in ("first", "second"))
    names = [name for name in start if name.startswith("network.") and start[name].ndim > 1]
    assert {layer["name"] for layer in second["layers"]} == {
        name.removeprefix("network.").removesuffix(".weight") for name in names
    }
    for layer in second["layers"]:
        before, after = (one[f"network.{layer['name']}.weight"].double() for one in (start, end))
        assert layer["relative_change"] == pytest.approx(((after - before).norm() / before.norm()).item(), rel=1e-6)


def test_what_is_frozen_does_not_move(few_pictures: Path, tmp_path: Path) -> None:
    run_once(few_pictures, tmp_path / "first")
    frozen = run_once(
        few_pictures, tmp_path / "second", model__weights=str(tmp_path / "first"), training__freeze="backbone"
    )
    changes = {layer["name"]: layer["relative_change"] for layer in frozen["layers"]}
    assert {name for name, change in changes.items() if change == 0} == {
        name for name in changes if name.startswith("features.")
    }
    assert any(changes.values())
