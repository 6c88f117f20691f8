"""All three pipelines on CUDA, where there is one."""

import json
from pathlib import Path

import pytest

from tests.conftest import Cli

QUICK = {
    "image": ("--arch", "resnet9", "--epochs", "4"),
    "audio": ("--arch", "resnet9", "--epochs", "8"),
    "text": ("--epochs", "12"),
}


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("kind", QUICK)
def test_a_pipeline_trains_on_cuda_and_its_model_answers_on_the_cpu(
    kind: str, precision: str, pictures: Path, sounds: Path, texts: Path, cli: Cli, tmp_path: Path
) -> None:
    if not has_cuda():
        pytest.skip("no CUDA device here")
    data = {"image": pictures, "audio": sounds, "text": texts}[kind]
    options = (*QUICK[kind], "--device", "cuda", "--precision", precision, "--batch-size", "8")
    done = cli("train", kind, data, "-o", tmp_path / "run", *options)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert written["test"]["accuracy"] >= 0.8
    evaluated = cli("evaluate", tmp_path / "run", data, "--json")
    assert json.loads(evaluated.stdout) == written["test"]


@pytest.mark.gpu
def test_a_run_that_was_cut_on_cuda_goes_on(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    if not has_cuda():
        pytest.skip("no CUDA device here")
    common = ("--arch", "resnet9", "--device", "cuda", "--time-budget", "40s", "--batch-size", "8")
    assert cli("train", "image", pictures, "-o", tmp_path / "run", *common).returncode == 0
    (tmp_path / "run" / "metrics.json").unlink()
    done = cli("train", "image", "-o", tmp_path / "run", "--resume")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "metrics.json").exists()
