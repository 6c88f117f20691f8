"""A training that was stopped goes on as if it had not been, whatever it remembers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import multicnn.training.fit as fitting
from multicnn.recipe_files import load_recipe
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.train import train
from tests.training.test_settings import run


@pytest.mark.parametrize(
    "settings",
    [
        {"training__optimizer": "muon", "training__unfreeze": 2, "training__layer_decay": 0.5},
        {"training__optimizer": "adadelta", "training__schedule": "plateau", "training__patience": 1},
        {"training__optimizer": "sgd", "training__schedule": "onecycle", "training__lr": 0.01},
        {"training__optimizer": "adam", "training__schedule": "step", "training__step_size": 2},
        {"training__ema": 0.95, "model__arch": "[conv3-16 bn relu pool2]*2 gap fc", "training__micro_batch": 4},
    ],
    ids=str,
)
def test_a_stopped_training_ends_with_the_same_weights(
    settings: dict[str, Any], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**settings, "training__epochs": 4}
    run(pictures, tmp_path / "whole", **settings)

    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", 0.0)
    epoch = fitting._epoch

    def stops(learner: Any, validation: Any, progress: fitting.Progress, pace: Any) -> Any:
        if progress.plan.epoch == 3:
            raise KeyboardInterrupt
        return epoch(learner, validation, progress, pace)

    monkeypatch.setattr(fitting, "_epoch", stops)
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "cut", **settings)
    monkeypatch.setattr(fitting, "_epoch", epoch)
    folder = RunFolder(tmp_path / "cut")
    train(load_recipe("image", str(folder.config)), folder, Reporter(quiet=True), started=0.0, resume=True)
    one, other = (load_file(tmp_path / name / "checkpoints" / "last.safetensors") for name in ("whole", "cut"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    drifts = [(tmp_path / name / "drift.json").read_text() for name in ("whole", "cut")]
    assert drifts[0] == drifts[1]
