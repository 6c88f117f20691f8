"""The recipes for published data sets, on sounds in the columns that `data get` writes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from multicnn.recipe_files import find_recipe, load_recipe, parse_setting, recipe_names
from multicnn.training.dry_run import dry_run
from multicnn.training.run_folder import RunFolder

PAPER = ("esc50_densenet", "esc50_densenet_ensemble", "esc10_densenet", "urbansound8k_densenet", "gtzan_densenet")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """With folds and recordings, with pieces, and with parts."""
    folder = tmp_path_factory.mktemp("sounds")
    soundfile.write(folder / "0.wav", np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32), 8000)
    rows = []
    for number in range(40):
        (folder / f"{number}.wav").write_bytes((folder / "0.wav").read_bytes() + bytes([number]))
        rows.append((f"{number}.wav", "ab"[number % 2], number // 2))
    tables = {
        "folds": ["path,label,fold,source", *(f"{path},{label},{i % 10 + 1},r{i}" for path, label, i in rows)],
        "pieces": ["path,label,piece", *(f"{path},{label},p{i}" for path, label, i in rows)],
        "parts": ["path,label,split", *(f"{p},{label},{'test' if i > 15 else 'train'}" for p, label, i in rows)],
    }
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines))
    return {name: folder / f"{name}.csv" for name in tables}


def plan(recipe: str, data: Path, tmp_path: Path, **settings: Any) -> dict[str, Any]:
    tree = {"data.path": str(data), "model.weights": "none"}
    tree |= {key.replace("__", "."): value for key, value in settings.items()}
    return dry_run(load_recipe("audio", f"audio/{recipe}", tree), RunFolder(tmp_path / "run"))


@pytest.mark.parametrize("name", recipe_names(None))
def test_every_recipe_has_its_command_and_its_data(name: str) -> None:
    header = [line for line in find_recipe(name).read_text("utf-8").splitlines() if line.startswith("#")]
    assert any(f"--recipe {name}" in line and "multicnn train " in line for line in header)
    assert any("ata: " in line for line in header)
    assert max(map(len, header)) <= 150


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_settings(name: str, manifests: dict[str, Path], tmp_path: Path) -> None:
    planned = plan(name, manifests["pieces" if name == "gtzan_densenet" else "folds"], tmp_path)
    assert "folds are trained one by one" in planned["notes"][0]
    found = planned["recipe"]
    training, augment = found["training"], found["augment"]
    assert found["model"]["arch"] == "densenet201"
    assert (training["optimizer"], training["lr"], training["weight_decay"]) == ("adam", 1e-4, 1e-3)
    assert (training["schedule"], training["step_size"], training["gamma"]) == ("step", 60, 0.1)
    assert (training["epochs"], training["batch_size"], training["label_smoothing"]) == (
        140,
        32,
        0,
    )  # two of ours are one of the paper's
    assert training["ensemble"] == (5 if name.endswith("ensemble") else 1)
    assert {key for key, value in augment.items() if value} == {"paper", "snr"}  # the ratio of noise that is off
    assert found["audio"]["frontend"] == "mel3"
    assert found["audio"]["mel3"]["frames"] == (1500 if name == "gtzan_densenet" else 250)
    rate, seconds = (44_100, 5) if name.startswith("esc") else (22_050, 30 if name.startswith("gtzan") else 4)
    assert (found["audio"]["sample_rate"], found["audio"]["duration"]) == (rate, seconds)
    assert load_recipe("audio", f"audio/{name}").model.weights == "imagenet"


def test_gtzan_can_be_divided_without_its_faults(manifests: dict[str, Path], tmp_path: Path) -> None:
    on_top = dict(parse_setting("audio", setting) for setting in ("data.folds=null", "data.group_column=null"))
    whole = plan("gtzan_densenet", manifests["parts"], tmp_path, **on_top)
    assert whole["examples"]["test"] == 8


@pytest.mark.parametrize("name", ["speech_commands", "fsdd_quick", "small_cpu"])
def test_the_other_recipes_fit_data_with_parts(name: str, manifests: dict[str, Path], tmp_path: Path) -> None:
    assert plan(name, manifests["parts"], tmp_path)["recipe"]["model"]["weights"] == "none"
