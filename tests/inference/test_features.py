"""`multicnn features` as a user runs it: what the file holds is what PyTorch computes inside the network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import torch
from PIL import Image
from tiny_models import image_model

from multicnn.blocks.classifier import Probabilities
from multicnn.bundle.merge import merge_onnx
from multicnn.bundle.read import open_bundle
from multicnn.bundle.tensors import load_tensors
from multicnn.errors import UsageError
from multicnn.inference.layers import cut_graph
from multicnn.pipeline import load_pipeline, load_reader
from multicnn.recipe import RECIPES
from tests.conftest import COLOURS, Cli

pytestmark = pytest.mark.xdist_group("features")  # one worker, for they share trained runs

# 0.4 s at 8 kHz, pictures of 24 x 24, and texts of few words.
RUNS: dict[str, tuple[str, ...]] = {
    "image": ("--arch", "lenet"),
    "audio": ("--arch", "lenet", "--frontend", "mel3"),
    "text": ("--set", "model.options.embedding=8"),
}


@pytest.fixture(scope="module")
def runs(
    few_pictures: Path, sounds: Path, texts: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for (kind, options), data in zip(RUNS.items(), (few_pictures, sounds, texts), strict=True):
        done = cli("train", kind, data, *options, "--epochs", "1", "--output", folder / kind)
        assert done.returncode == 0, done.stderr
    return {kind: folder / kind for kind in RUNS}


def by_torch(run: Path, inputs: list[bytes | str]) -> dict[str, np.ndarray]:
    """The layers of a run's network, from its weights."""
    bundle = open_bundle(run)
    kind = bundle.meta["pipeline"]
    recipe = RECIPES[kind].model_validate(bundle.meta["provenance"]["recipe"])
    reader = load_reader(kind, bundle.meta["reader"])
    model = load_pipeline(kind).network(recipe, reader, len(bundle.meta["labels"]))
    model.load_state_dict(load_tensors(run / "model" / "weights.safetensors")[0])
    batch = torch.from_numpy(reader.collate([reader.read(one) for one in inputs]))
    with torch.no_grad():
        layers = Probabilities(model, model.network).eval().layers(batch)
    return {name: layer.numpy() for name, layer in layers.items()}


def files_of(kind: str, pictures: Path, sounds: Path) -> list[Path]:
    if kind == "image":
        return [pictures / "test" / name / "00.png" for name in COLOURS]
    return [sounds.parent / f"{name}.wav" for name in ("high1", "low2", "high3")]


@pytest.mark.parametrize("kind", ["image", "audio"])
@pytest.mark.parametrize("layer", ["frontend", "penultimate"])
def test_files_give_what_pytorch_computes(
    kind: str, layer: str, runs: dict[str, Path], few_pictures: Path, sounds: Path, cli: Cli, tmp_path: Path
) -> None:
    files = files_of(kind, few_pictures, sounds)
    done = cli("features", runs[kind], *files, "--layer", layer, "-o", tmp_path / "x.npy", "--batch-size", "2")
    assert (done.returncode, done.stdout) == (0, "")
    expected = by_torch(runs[kind], [file.read_bytes() for file in files])[layer]
    found = np.load(tmp_path / "x.npy")
    assert f"float32 {list(expected.shape)}" in done.stderr
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3 if kind == "audio" else 1e-5)


def test_texts_give_what_pytorch_computes(runs: dict[str, Path], cli: Cli, tmp_path: Path) -> None:
    """Though the exported network is folded into tables."""
    lines = tmp_path / "lines.txt"
    lines.write_text("bread and soup\nthe wave of a ship and sailor\n")
    assert cli("features", runs["text"], "--lines", lines, "-o", tmp_path / "x.npy", "-q").stderr == ""
    expected = by_torch(runs["text"], lines.read_text().splitlines())["penultimate"]
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, rtol=0, atol=1e-3)


def test_what_a_network_for_texts_sees_are_token_numbers(runs: dict[str, Path], cli: Cli, tmp_path: Path) -> None:
    told = ("--text", "bread soup", "--text", "never heard bread")
    done = cli("features", runs["text"], *told, "--layer", "frontend", "-o", tmp_path / "x.npy")
    assert done.returncode == 0, done.stderr
    meta = open_bundle(runs["text"]).meta["reader"]
    bread, soup = (meta["vocabulary"].index(word) + 2 for word in ("bread", "soup"))
    found = np.load(tmp_path / "x.npy")
    assert found.shape == (2, meta["max_length"])
    assert found[:, :4].tolist() == [[bread, soup, 0, 0], [1, 1, bread, 0]]
    assert not found[:, 4:].any()


@pytest.fixture
def broken(few_pictures: Path, tmp_path: Path) -> list[Path]:
    """A good picture, half of one, none, and another good one."""
    good = few_pictures / "test" / "red" / "00.png"
    (tmp_path / "half.png").write_bytes(good.read_bytes()[:40])
    return [good, tmp_path / "half.png", tmp_path / "none.png", few_pictures / "test" / "blue" / "00.png"]


def test_unreadable_inputs_are_nan_in_the_array(
    runs: dict[str, Path], broken: list[Path], cli: Cli, tmp_path: Path
) -> None:
    done = cli("features", runs["image"], *broken, "-o", tmp_path / "x.npy")
    assert done.returncode == 3
    said = done.stderr.splitlines()
    assert said[0].startswith(f"multicnn: row 1, {broken[1]}: this begins like PNG, but it is broken")
    assert said[1] == f"multicnn: row 2, {broken[2]}: there is no such file"
    assert said[2] == f"multicnn: {tmp_path / 'x.npy'}: float32 [4, 84], 2 of them without features"
    found = np.load(tmp_path / "x.npy")
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(found[[0, 3]]).all()


def test_unreadable_inputs_are_null_in_the_table(
    runs: dict[str, Path], broken: list[Path], cli: Cli, tmp_path: Path
) -> None:
    done = cli("features", runs["image"], *broken, "--layer", "frontend", "-o", tmp_path / "x.parquet", "-q")
    assert done.returncode == 3
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    rows: list[dict[str, Any]] = table.to_pylist()
    assert [row["input"] for row in rows] == [str(path) for path in broken]
    assert [row["features"] is None for row in rows] == [False, True, True, False]
    assert [row["error"] is None for row in rows] == [True, False, False, True]
    shape = json.loads(table.schema.metadata[b"shape"])
    expected = by_torch(runs["image"], [broken[0].read_bytes()])["frontend"][0]
    np.testing.assert_allclose(np.reshape(rows[0]["features"], shape), expected, rtol=0, atol=1e-5)


def test_inputs_are_those_of_predict(runs: dict[str, Path], sounds: Path, cli: Cli, tmp_path: Path) -> None:
    for inputs, stdin in (
        ((sounds,), None),
        ((sounds.parent,), None),
        ((), "".join(f"{file}\n" for file in sounds.parent.glob("*.wav"))),
    ):
        done = cli("features", runs["audio"], *inputs, "-o", tmp_path / "x.npy", stdin=stdin)
        assert done.returncode == 0, done.stderr
        assert np.load(tmp_path / "x.npy").shape == (60, 84)


def test_nothing_readable_is_an_array_of_nan(runs: dict[str, Path], cli: Cli, tmp_path: Path) -> None:
    done = cli("features", runs["text"], "--text", "", "-o", tmp_path / "x.npy")
    assert done.returncode == 3
    assert "multicnn: row 0: the text is empty" in done.stderr
    assert np.isnan(np.load(tmp_path / "x.npy")).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "x.txt"), "x.txt ends in neither .npy nor .parquet"),
        (("-o", "."), "ends in neither"),
        (("-o", "x.npy", "--text", "a"), "--text is for text models; this one reads pictures"),
        (("-o", "x.npy", "--batch-size", "0"), "--batch-size is at least 1, not 0"),
        ((), "output"),
    ],
)
def test_what_is_refused(
    options: tuple[str, ...], message: str, runs: dict[str, Path], cli: Cli, tmp_path: Path
) -> None:
    Image.new("RGB", (9, 7)).save(tmp_path / "a.png")
    done = cli("features", runs["image"], "a.png", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"a.png"}


def test_a_model_of_an_older_multicnn_names_no_layers(tmp_path: Path, cli: Cli) -> None:
    done = cli("features", image_model(tmp_path / "old"), "a.png", "-o", tmp_path / "x.npy")
    assert done.returncode == 2
    assert "does not say which of its layers is penultimate: an older multicnn wrote it" in done.stderr
    assert not (tmp_path / "x.npy").exists()


def test_an_ensemble_has_a_layer_a_member(runs: dict[str, Path], tmp_path: Path) -> None:
    model = runs["image"] / "model" / "model.onnx"
    merge_onnx([model, model], tmp_path / "both.onnx")
    with pytest.raises(UsageError, match="both.onnx is an ensemble.*name one of its members"):
        cut_graph(tmp_path / "both.onnx", "penultimate", tmp_path / "cut.onnx")


def test_only_what_leads_to_a_layer_is_kept(runs: dict[str, Path], tmp_path: Path) -> None:
    import onnx

    model = runs["image"] / "model" / "model.onnx"
    assert cut_graph(model, "frontend", tmp_path / "cut.onnx") == (3, 24, 24)
    kept, whole = (onnx.load(path).graph for path in (tmp_path / "cut.onnx", model))
    assert len(kept.node) < len(whole.node) / 2
    assert [value.name for value in whole.output] == ["probabilities"]


def test_torch_is_not_imported(runs: dict[str, Path], few_pictures: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from multicnn.cli.main import run\n"
        "try: run()\nexcept SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules and 'onnxruntime' in sys.modules"
    )
    command = [sys.executable, "-c", code, "features", runs["image"], few_pictures / "test", "-o", tmp_path / "x.npy"]
    assert subprocess.run(command, check=False).returncode == 0


def test_of_a_recording_in_windows_the_mean_is_written(
    runs: dict[str, Path], sounds: Path, cli: Cli, tmp_path: Path
) -> None:
    """One wave file that is two others after each other, to a model that hears windows of their length."""
    import soundfile

    options = ("--arch", "lenet", "--epochs", "1", "--set", "audio.windows=true", "--set", "audio.overlap=0")
    done = cli("train", "audio", sounds, *options, "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    parts = [sounds.parent / "high1.wav", sounds.parent / "low1.wav"]
    soundfile.write(tmp_path / "both.wav", np.concatenate([soundfile.read(part)[0] for part in parts]), 8000)
    done = cli("features", tmp_path / "run", *parts, tmp_path / "both.wav", "-o", tmp_path / "x.npy")
    assert done.returncode == 0, done.stderr
    high, low, both = np.load(tmp_path / "x.npy")
    np.testing.assert_allclose(both, (high + low) / 2, rtol=0, atol=1e-4)
