"""Each training setting does what its name says, in a real (if short) training."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from multicnn.errors import UsageError
from multicnn.recipe_files import load_recipe
from multicnn.training.loop import Learner
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.schedule import plateaus
from multicnn.training.train import Outcome, train


def run(data: Path, folder: Path, **settings: Any) -> Outcome:
    tree = {"data.path": str(data), "model.arch": "lenet", "training.epochs": 2, "training.batch_size": 8}
    tree |= {"model.weights": "none", "training.device": "cpu", "training.precision": "fp32"}
    tree |= {key.replace("__", "."): value for key, value in settings.items()}
    return train(load_recipe("image", None, tree), RunFolder(folder), Reporter(quiet=True), started=0.0)


def rows(outcome: Outcome) -> list[dict[str, str]]:
    return list(csv.DictReader((outcome.run / "history.csv").open()))


@pytest.fixture
def lopsided(pictures: Path, tmp_path: Path) -> Path:
    """One class with ten times the pictures of the other."""
    rng = np.random.default_rng(0)
    for name, count in (("much", 80), ("little", 8)):
        (tmp_path / "lopsided" / name).mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "lopsided" / name / f"{index}.png")
    return tmp_path / "lopsided"


@pytest.mark.parametrize(
    "settings",
    [
        {"training__optimizer": "sgd", "training__schedule": "onecycle"},
        {"training__optimizer": "adam", "training__schedule": "step", "training__step_size": 1},
        {"training__optimizer": "adadelta", "training__schedule": "constant"},
        {"training__optimizer": "muon", "training__schedule": "plateau"},
        {"training__max_norm": 0.5},
        {"training__class_balance": "weights"},
        {"training__class_balance": "sampling"},
        {"training__ema": 0.9},
        {"training__clip": 1.0},
        {"training__label_smoothing": 0.0},
        {"training__deterministic": True},
        {"augment__cutout": 6, "augment__jitter": 0.2},
        {"augment__rotation": 10, "augment__resized_crop": 0.5, "augment__hue": 0.1, "augment__noise": 0.1},
        {"augment__randaugment__n": 1, "augment__trivialaugment": True, "augment__blur": 1, "augment__erasing": 0.5},
        {"augment__mixup": 0.2, "augment__cutmix": 1.0, "training__class_balance": "weights"},
        {"image__color": "gray", "image__size": 28},
        {"image__size": [20, 32], "image__resize": "pad"},
    ],
    ids=",".join,
)
def test_a_setting_trains_and_is_measured(settings: dict[str, Any], pictures: Path, tmp_path: Path) -> None:
    outcome = run(pictures, tmp_path / "run", **settings)
    torch.use_deterministic_algorithms(False)
    assert outcome.metrics["test"]["count"] == 18
    assert len(rows(outcome)) == 2


def test_the_history_tells_the_rate_of_the_weights_not_of_the_biases(pictures: Path, tmp_path: Path) -> None:
    same = {"training__optimizer": "sgd", "training__schedule": "constant", "training__lr": 0.01}
    told = rows(run(pictures, tmp_path / "run", **same, training__bias_rate=5))
    assert [float(row["lr"]) for row in told] == [0.01, 0.01]


def test_early_stopping_stops(lopsided: Path, tmp_path: Path) -> None:
    outcome = run(lopsided, tmp_path / "run", training__epochs=30, training__early_stopping=2, training__lr=1e-12)
    assert len(rows(outcome)) - outcome.metrics["best_epoch"] == 2


def test_plateau_lowers_the_rate_of_a_training_that_stands_still(lopsided: Path, tmp_path: Path) -> None:
    settings = {"training__epochs": 4, "training__patience": 1, "training__lr": 1e-12, "training__ema": 0.9}
    outcome = run(lopsided, tmp_path / "run", training__schedule="plateau", **settings)
    losses = [float(row["validation_loss"]) for row in rows(outcome)]
    expected = [1e-12 * 0.1 ** plateaus(losses[:epoch], 1) for epoch in range(4)]
    assert [float(row["lr"]) for row in rows(outcome)] == pytest.approx(expected)


def test_no_row_of_the_last_layer_is_longer_than_max_norm(pictures: Path, tmp_path: Path) -> None:
    outcome = run(pictures, tmp_path / "run", training__max_norm=0.3)
    weight = load_file(outcome.run / "model" / "weights.safetensors")["network.head.output.weight"]
    assert weight.norm(dim=1).max() <= 0.3001


def test_max_norm_needs_a_row_a_class(pictures: Path, tmp_path: Path) -> None:
    from multicnn.errors import UsageError

    with pytest.raises(UsageError, match="a row a class; capsnet"):
        run(pictures, tmp_path / "run", training__max_norm=3, model__arch="capsnet", image__size=28)
    assert not (tmp_path / "run").exists()


def test_sampling_shows_rare_classes_as_often_as_common_ones(
    lopsided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    step = Learner.step

    def spy(self: Learner, inputs: torch.Tensor, truth: torch.Tensor, *rest: Any) -> Any:
        seen.extend(truth.tolist())
        return step(self, inputs, truth, *rest)

    monkeypatch.setattr(Learner, "step", spy)
    run(lopsided, tmp_path / "run", training__epochs=6, training__class_balance="sampling")
    assert 0.35 < np.mean(seen) < 0.65


def test_an_alternating_flip_takes_turns(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[bytes, list[bool]] = {}
    step = Learner.step

    def spy(self: Learner, inputs: torch.Tensor, *rest: Any) -> Any:
        for picture, mirrored in zip(inputs, rest[-1].tolist(), strict=True):
            shown.setdefault(picture.numpy().tobytes(), []).append(mirrored)
        return step(self, inputs, *rest)

    monkeypatch.setattr(Learner, "step", spy)
    run(pictures, tmp_path / "run", training__epochs=4, training__batch_size=13, augment__flip="alternating")
    first = [turns[0] for turns in shown.values()]
    assert 0.3 < np.mean(first) < 0.7
    whole = [turns for turns in shown.values() if len(turns) == 4]  # the others missed an epoch
    assert len(whole) > 20
    assert all(turns in ([True, False] * 2, [False, True] * 2) for turns in whole)


@pytest.mark.parametrize("loss", ["hinge", "focal"])
def test_mixed_classes_need_cross_entropy(loss: str, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"augment.mixup mixes classes.*not the {loss} loss"):
        run(pictures, tmp_path / "run", augment__mixup=0.2, training__loss=loss)


def test_mixed_classes_do_not_go_into_a_network_that_draws_one(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="augment.cutmix mixes classes.*not the margin loss"):
        run(
            pictures,
            tmp_path / "run",
            augment__cutmix=1.0,
            model__arch="capsnet",
            training__loss="cross_entropy",
            image__size=28,
        )


def test_grey_pictures_have_no_colours_to_change(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="augment.hue has no effect on grey pictures"):
        run(pictures, tmp_path / "run", augment__hue=0.2, image__color="gray")


def test_a_loss_that_is_no_number_ends_the_training_with_advice(pictures: Path, tmp_path: Path) -> None:
    from multicnn.errors import MulticnnError

    with pytest.raises(MulticnnError, match="lower --lr"):
        run(pictures, tmp_path / "run", training__lr=1e30, training__optimizer="sgd")


def test_a_group_is_never_on_both_sides(pictures: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "groups.csv"
    files = sorted((pictures / "train").rglob("*.png"))
    lines = [f"{file},{file.parent.name},{int(file.stem) % 6}" for file in files]
    manifest.write_text("\n".join(["path,label,painter", *lines]))
    outcome = run(manifest, tmp_path / "run", data__group_column="painter", data__validation=0.3)
    split = list(csv.DictReader((outcome.run / "split.csv").open()))
    sides: dict[str, set[str]] = {}
    for row in split:
        sides.setdefault(str(int(Path(row["name"]).stem) % 6), set()).add(row["split"])
    assert all(len(parts) == 1 for parts in sides.values())
    assert {part for parts in sides.values() for part in parts} == {"train", "validation"}


def test_a_fold_is_held_out_as_the_test_part(pictures: Path, tmp_path: Path) -> None:
    files = sorted((pictures / "train").rglob("*.png"))
    manifest = tmp_path / "folds.csv"
    manifest.write_text(
        "\n".join(["path,label,fold", *(f"{file},{file.parent.name},{int(file.stem) % 4}" for file in files)])
    )
    outcome = run(manifest, tmp_path / "run", data__fold="2")
    split = list(csv.DictReader((outcome.run / "split.csv").open()))
    assert {int(Path(row["name"]).stem) % 4 for row in split if row["split"] == "test"} == {2}
    assert outcome.metrics["test"]["count"] == 18
    assert json.loads((outcome.run / "metrics.json").read_text())["test"]["count"] == 18


def test_tensorboard_gets_a_row_per_epoch(pictures: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    outcome = run(pictures, tmp_path / "run", training__tensorboard=True)
    log = EventAccumulator(str(outcome.run / "tensorboard")).Reload()
    assert [event.step for event in log.Scalars("validation_accuracy")] == [1, 2]
