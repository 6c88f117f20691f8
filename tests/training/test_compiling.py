"""`training.compile`: when it pays, and that nothing but the speed depends on it."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from multicnn.training import compiling
from multicnn.training.compiling import Compiled, pays
from multicnn.training.passes import Passes
from tests.cli.test_train import QUICK
from tests.conftest import Cli
from tests.training.test_settings import run


def broken(graph: Any, inputs: Any) -> Any:
    """A backend that cannot compile."""
    raise FileNotFoundError("there is no C++ compiler")


def checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / "last.safetensors")


def test_auto_compiles_long_trainings_on_cuda_only() -> None:
    assert pays(torch.device("cuda"), 600)
    assert not pays(torch.device("cuda"), 599)
    assert not pays(torch.device("cpu"), 10**9)


# Backends that need no C++ compiler: what dynamo and AOT autograd trace, run by eager operators.
@pytest.mark.parametrize(
    "settings", [{"training__ema": 0.9, "training__micro_batch": 4}, {"training__precision": "bf16"}], ids=str
)
def test_a_compiled_training_writes_what_an_eager_one_writes(
    settings: dict[str, Any], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counting(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        calls.append(graph)
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", counting)
    run(pictures, tmp_path / "on", training__compile="on", **settings)
    assert calls
    run(pictures, tmp_path / "off", training__compile="off", **settings)
    on, off = checkpoint(tmp_path / "on"), checkpoint(tmp_path / "off")
    assert on.keys() == off.keys()
    assert not any("_orig_mod" in name for name in on)
    torch.testing.assert_close(on, off)
    exported = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("on", "off"))
    torch.testing.assert_close(*exported)


def test_where_compiling_fails_one_line_says_so_and_it_goes_on(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "BACKEND", broken)
    run(pictures, tmp_path / "on", training__compile="on")
    told = [line for line in capsys.readouterr().err.splitlines() if "compile" in line]
    assert len(told) == 1
    assert "torch.compile failed, so the training goes on without it" in told[0]
    assert "there is no C++ compiler" in told[0]
    run(pictures, tmp_path / "off", training__compile="off")
    on, off = checkpoint(tmp_path / "on"), checkpoint(tmp_path / "off")
    assert all(torch.equal(on[name], off[name]) for name in off)


def test_memory_that_runs_out_in_compiled_code_is_not_taken_for_a_failure_of_the_compiler() -> None:
    def too_much(x: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    told: list[str] = []
    function = Compiled(torch.neg, told.append)
    function.call = too_much
    with pytest.raises(torch.OutOfMemoryError):
        function(torch.ones(3))
    assert function.call is too_much
    assert not told


def test_auto_compiles_once_after_the_first_epoch_where_it_pays(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, compiled = [], []

    def always(device: torch.device, seconds: float) -> bool:
        asked.append(seconds)
        return True

    monkeypatch.setattr("multicnn.training.fit.pays", always)
    monkeypatch.setattr(compiling, "BACKEND", "eager")
    compile_passes = Passes.compile
    monkeypatch.setattr(Passes, "compile", lambda *given: (compiled.append(1), compile_passes(*given))[1])
    outcome = run(pictures, tmp_path / "run", training__epochs=3)
    first = next(csv.DictReader((outcome.run / "history.csv").open()))
    assert asked == [pytest.approx(2 * float(first["seconds"]), rel=1e-3)]
    assert len(compiled) == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_the_command_compiles(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("train", "image", pictures, "-o", tmp_path / "run", *QUICK["image"], "--compile", "on")
    assert done.returncode == 0, done.stderr
    assert "torch.compile failed" not in done.stderr
    evaluated = cli("evaluate", tmp_path / "run", pictures)
    assert evaluated.returncode == 0, evaluated.stderr
