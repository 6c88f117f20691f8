"""All three pipelines on CUDA, where there is one."""

import json
from pathlib import Path

import numpy as np
import pytest

from multicnn.data.rows import RowFile, Rows
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


@pytest.mark.gpu
def test_rows_of_a_file_come_to_cuda_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_cuda():
        pytest.skip("no CUDA device here")
    import torch

    from multicnn.image.read import ImageReader
    from multicnn.training.batches import Feed

    arrays = np.random.default_rng(0).integers(0, 255, (5000, 8, 8, 3), dtype=np.uint8)
    file = RowFile(tmp_path / "rows", 5000, (8, 8, 3), np.dtype(np.uint8))
    for row, array in enumerate(arrays):
        file[row] = array
    device = torch.device("cuda")
    resident = Feed(Rows(file, np.arange(5000)), np.arange(5000) % 2, ImageReader(8, 8), device)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (1000, 1000))
    streamed = Feed(Rows(file, np.arange(5000)), np.arange(5000) % 2, ImageReader(8, 8), device)
    assert resident.resident is not None
    assert streamed.resident is None
    choices = resident.shuffled(64, np.random.default_rng(1))
    for feed in (resident, streamed):
        for chosen, (inputs, truth) in zip(choices, feed.batches(choices), strict=True):
            assert inputs.device.type == "cuda"
            np.testing.assert_array_equal(inputs.cpu().numpy(), arrays[chosen])
            np.testing.assert_array_equal(truth.cpu().numpy(), chosen % 2)
