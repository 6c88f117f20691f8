import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from tiny_models import COLOURS, image_model

from multicnn.bundle.read import open_bundle, verify
from multicnn.errors import UsageError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return image_model(tmp_path / "run" / "model")


def refusal(path: Path) -> str:
    """The one line that opening it ends with."""
    with pytest.raises(UsageError) as caught:
        open_bundle(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(bundle: Path, **entries: object) -> None:
    """Changes bundle.json."""
    path = bundle / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def test_a_run_a_bundle_and_a_lone_file_are_the_same_model(bundle: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.onnx"
    shutil.copy(bundle / "model.onnx", alone)
    opened = [open_bundle(path) for path in (bundle.parent, bundle, alone)]
    assert [one.model for one in opened] == [bundle / "model.onnx", bundle / "model.onnx", alone]
    assert [one.folder for one in opened] == [bundle, bundle, None]
    for one in opened:
        assert one.meta["labels"] == COLOURS
        assert {**one.meta, "files": None} == {**opened[0].meta, "files": None}


def test_metadata_behind_large_weights_are_found(bundle: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((300, 300)), "large"))
    onnx.save(model, bundle / "large.onnx")
    assert open_bundle(bundle / "large.onnx").meta["labels"] == COLOURS


def test_a_misspelt_name_gets_the_nearest(bundle: Path) -> None:
    assert refusal(bundle.parent.with_name("rnu")).endswith("did you mean run?")
    assert refusal(bundle / "modle.onnx").endswith("did you mean model.onnx?")
    assert refusal(bundle.parent.parent / "rum" / "model").endswith("did you mean run?")


def test_a_run_without_a_model_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert "--resume" in refusal(tmp_path / "run")


def test_another_folder_is_no_model(tmp_path: Path) -> None:
    assert "neither a run nor a bundle" in refusal(tmp_path)


def test_a_changed_file_is_damaged(bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)
    assert "model.onnx is damaged" in refusal(bundle)


def test_missing_files_and_checksums_are_told(bundle: Path) -> None:
    meta = open_bundle(bundle).meta
    with pytest.raises(UsageError, match=r"no checksum of weights\.safetensors"):
        verify(bundle, meta, "weights.safetensors")
    (bundle / "model.onnx").unlink()
    assert "model.onnx is missing" in refusal(bundle)


def test_a_newer_format_asks_for_a_newer_multicnn(bundle: Path) -> None:
    change(bundle, format=2, provenance={"multicnn": "3.1"})
    assert "install multicnn 3.1 or newer" in refusal(bundle)


def test_incomplete_and_broken_json_is_damage(bundle: Path) -> None:
    change(bundle, labels=[])
    assert "labels missing" in refusal(bundle)
    (bundle / "bundle.json").write_text('{"format": 1, ')
    assert "bundle.json is damaged" in refusal(bundle)
    (bundle / "bundle.json").write_text("[]")
    assert "not a JSON object" in refusal(bundle)


def test_a_foreign_onnx_file_is_not_ours(bundle: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    del model.metadata_props[:]
    onnx.save(model, bundle / "foreign.onnx")
    assert "not written by multicnn" in refusal(bundle / "foreign.onnx")


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"GIF89a and so on", b"\x08"])
def test_another_file_is_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.onnx").write_bytes(content)
    assert "multicnn" in (line := refusal(tmp_path / "x.onnx")) or "damaged" in line


def test_every_truncation_is_noticed(bundle: Path) -> None:
    content = (bundle / "model.onnx").read_bytes()
    for length in range(0, len(content), 7):
        (bundle / "short.onnx").write_bytes(content[:length])
        refusal(bundle / "short.onnx")


def test_opening_imports_neither_onnx_nor_torch(bundle: Path) -> None:
    code = (
        "import sys; from multicnn.bundle.read import open_bundle; "
        f"open_bundle({str(bundle / 'model.onnx')!r}); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"onnx", "onnxruntime", "torch", "numpy"} & set(loaded)
