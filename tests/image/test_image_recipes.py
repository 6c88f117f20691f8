"""The recipes for pictures that ship: planned by each network, and trained for an epoch by the command line."""

import tarfile
from pathlib import Path

import pytest

from multicnn.recipe_files import find_recipe, load_recipe, recipe_names
from multicnn.training.dry_run import dry_run
from multicnn.training.run_folder import RunFolder
from tests.conftest import Cli

RECIPES = recipe_names("image")
# Nothing is downloaded, and pictures are no larger than a test needs.
SMALL = {"model.weights": "none"}
SIDES = {"image/imagenet_resnet50": 64, "image/finetune_small": 64, "image/finetune_densenet121": 64}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_planned(name: str, few_pictures: Path, tmp_path: Path) -> None:
    asked = load_recipe("image", name, {"data.path": str(few_pictures), **SMALL})
    told = dry_run(asked, RunFolder(tmp_path / "run"))
    assert told["arch"] == asked.model.arch
    assert told["recipe"]["training"]["optimizer"] != "auto"


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains(name: str, cli: Cli, few_pictures: Path, tmp_path: Path) -> None:
    settings = [f"--set={key}={value}" for key, value in SMALL.items()]
    settings += [f"--set=image.size={SIDES[name]}"] if name in SIDES else []
    done = cli(*("train", "image", few_pictures, "--recipe", name, "--epochs", "1", "-o", tmp_path / "run"), *settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "model" / "model.onnx").is_file()


@pytest.mark.parametrize("name", RECIPES)
def test_the_header_says_where_the_data_come_from_and_what_is_to_be_expected(name: str) -> None:
    header = find_recipe(name).read_text(encoding="utf-8").split("pipeline:")[0]
    assert "# Data: " in header
    assert "# Expected: " in header or "# Reached: " in header


def test_imagenets_shards_are_planned_as_its_header_says(few_pictures: Path, tmp_path: Path) -> None:
    for number, colour in enumerate(("blue", "green", "red")):
        for part in ("train", "test"):
            with tarfile.open(tmp_path / f"imagenet-{part}-000{number}.tar", "w") as archive:
                archive.add(few_pictures / part / colour, colour)
    data = ",".join(str(path) for path in sorted(tmp_path.glob("imagenet-*.tar")))
    told = dry_run(load_recipe("image", "image/imagenet_resnet50", {"data.path": data}), RunFolder(tmp_path / "run"))
    assert list(told["classes"]) == ["blue", "green", "red"]
    assert (told["examples"]["train"] + told["examples"]["validation"], told["examples"]["test"]) == (36, 9)
    assert told["input"] == [224, 224, 3]
