"""Recipes: typed, complete, and never silent about a key that has no effect."""

from pathlib import Path

import pytest
import yaml

from multicnn.errors import UsageError
from multicnn.recipe import RECIPES, parse_duration
from multicnn.recipe_files import dump_recipe, find_recipe, load_recipe, parse_setting, recipe_names


def load_with(kind: str, *settings: str) -> object:
    return load_recipe(kind, None, dict(parse_setting(kind, one) for one in settings))


@pytest.mark.parametrize("kind", RECIPES)
def test_a_dumped_recipe_loads_again_unchanged(kind: str, tmp_path: Path) -> None:
    recipe = load_with(kind, "data.path=here", "training.lr=1e-3", "data.validation=0.25")
    (tmp_path / "config.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(kind, str(tmp_path / "config.yaml")) == recipe


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.epoch=3", "unknown recipe key training.epoch; did you mean training.epochs?"),
        ("trainin=3", "unknown recipe key trainin; did you mean training?"),
        ("text.max_length=3", "unknown recipe key text"),
        ("training.lr=-1", "training.lr"),
        ("training.optimizer=adamax", "'adadelta' or 'muon'"),
        ("training.step_size=3", "step_size has no effect on the cosine schedule"),
        ("training.time_budget=10x", "not a time such as 90s, 10m or 2h"),
        ("data.validation=2", "between 0 and 1"),
        ("training.lr.x=2", "training.lr"),
        ("training.lr", "key.path=value"),
        ("data.fold_column=f", "none is held out"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_the_key(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=".*") as caught:
        load_with("image", "training.lr=0.1", setting)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "adadelta"])
def test_momentum_has_no_effect_on_adam_and_its_kin_and_is_refused(optimizer: str) -> None:
    with pytest.raises(UsageError, match=f"no effect on {optimizer}"):
        load_with("image", f"training.optimizer={optimizer}", "training.momentum=0.5")


def test_one_cycle_has_room_for_both_of_its_sides() -> None:
    load_with("image", "training.schedule=onecycle", "training.warmup=0.5")
    with pytest.raises(UsageError, match=r"0 to 0.5, not at 0.6"):
        load_with("image", "training.schedule=onecycle", "training.warmup=0.6")


@pytest.mark.parametrize("loss", ["hinge", "focal", "margin"])
def test_label_smoothing_belongs_to_cross_entropy(loss: str) -> None:
    with pytest.raises(UsageError, match=f"label_smoothing has no effect on the {loss} loss") as caught:
        load_with("image", f"training.loss={loss}", "training.label_smoothing=0.1")
    assert "\n" not in str(caught.value)
    load_with("image", f"training.loss={loss}", "training.label_smoothing=0")
    load_with("image", "training.loss=cross_entropy", "training.label_smoothing=0.1")


def test_text_keys_take_every_text_as_it_is() -> None:
    recipe = load_with("text", "data.label_column=no", "data.fold=007")
    assert (recipe.data.label_column, recipe.data.fold) == ("no", "007")


def test_a_recipe_for_another_pipeline_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("pipeline: audio\n")
    with pytest.raises(UsageError, match="for audio, not for image"):
        load_recipe("image", str(path))


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [", "\xff"])
def test_a_file_that_is_no_recipe_says_so(content: str, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match="r.yaml"):
        load_recipe("image", str(path))


def test_yaml_cannot_run_code(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(UsageError, match="not a recipe"):
        load_recipe("image", str(path))


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_is_valid_and_has_its_command_in_the_header(name: str) -> None:
    text = find_recipe(name).read_text(encoding="utf-8")
    kind = name.split("/", maxsplit=1)[0]
    load_recipe(kind, name)
    assert set(yaml.safe_load(text)) - {"pipeline"} <= set(RECIPES[kind].model_fields)
    header = [line for line in text.splitlines() if line.startswith("#")]
    assert any(f"multicnn train {kind}" in line and f"--recipe {name}" in line for line in header)


def test_an_unknown_recipe_gives_the_nearest_name() -> None:
    name = recipe_names("text")[0]
    with pytest.raises(UsageError, match=f"did you mean {name}"):
        find_recipe(name[:-1] + "_", "text")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_durations_are_seconds_minutes_and_hours(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
