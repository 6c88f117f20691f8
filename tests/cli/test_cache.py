"""`--cache`, as a user runs it: the same run with it and without, and every broken file is told each time."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import Cli

QUICK = ("--arch", "lenet", "--epochs", "2", "--batch-size", "8", "--device", "cpu")


@pytest.mark.parametrize("kind", ["audio", pytest.param("image", marks=pytest.mark.slow)])
def test_a_cached_run_is_the_same_run(kind: str, pictures: Path, sounds: Path, cli: Cli, tmp_path: Path) -> None:
    data = pictures if kind == "image" else sounds
    cache = tmp_path / "cache"
    without = cli("train", kind, data, "-o", tmp_path / "without", *QUICK, "--cache", "off")
    built = cli("train", kind, data, "-o", tmp_path / "built", *QUICK, "--cache", cache)
    used = cli("train", kind, data, "-o", tmp_path / "used", *QUICK, "--cache", cache)
    assert without.returncode == built.returncode == used.returncode == 0, built.stderr
    assert f"kept in {cache}" in built.stderr
    assert "kept in" not in without.stderr + used.stderr
    models = [(tmp_path / run / "model" / "weights.safetensors").read_bytes() for run in ("without", "built", "used")]
    assert models[0] == models[1] == models[2]
    figures = [json.loads((tmp_path / run / "metrics.json").read_text()) for run in ("without", "used")]
    assert figures[0]["validation"] == figures[1]["validation"]
    assert figures[0]["test"] == figures[1]["test"]
    assert yaml.safe_load((tmp_path / "used" / "config.yaml").read_text())["data"]["cache"] == str(cache)


def test_a_broken_file_is_told_each_time(few_pictures: Path, cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(few_pictures, tmp_path / "data")
    (tmp_path / "data" / "train" / "red" / "broken.png").write_bytes(b"no picture")
    options = (*QUICK, "--cache", tmp_path / "cache", "--overwrite", "-o", tmp_path / "run")
    said = [cli("train", "image", tmp_path / "data", *options) for _ in range(2)]
    for done in said:
        assert done.returncode == 3
        assert "red/broken.png: this is not a picture" in done.stderr
    assert ["kept in" in done.stderr for done in said] == [True, False]


def test_a_cache_that_cannot_be(few_pictures: Path, texts: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = cli("train", "image", few_pictures, "-o", tmp_path / "run", *QUICK, "--cache", tmp_path / "file")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()
    done = cli("train", "text", texts, "--set", f"data.cache={tmp_path}")
    assert done.returncode == 2
    assert "no effect on texts" in done.stderr
    assert cli("train", "text", texts, "--cache", "off").returncode == 2


def test_the_longest_unused_goes_where_the_limit_is_passed(
    pictures: Path, few_pictures: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTICNN_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("MULTICNN_CACHE_LIMIT", "0")
    first = cli("train", "image", pictures, "-o", tmp_path / "first", *QUICK, "--cache", "on")
    assert first.returncode == 0, first.stderr
    assert "was removed" not in first.stderr  # what is in use stays
    second = cli("train", "image", few_pictures, "-o", tmp_path / "second", *QUICK, "--cache", "on")
    assert second.returncode == 0, second.stderr
    assert f"of {pictures}; 0 GB may stay (MULTICNN_CACHE_LIMIT)" in second.stderr
    [left] = json.loads(cli("data", "cache", "--json").stdout)
    assert left["data"] == str(few_pictures)
    monkeypatch.setenv("MULTICNN_CACHE_LIMIT", "plenty")
    done = cli("train", "image", pictures, "-o", tmp_path / "third", *QUICK, "--cache", "on")
    assert done.returncode == 2
    assert "MULTICNN_CACHE_LIMIT is a number of gigabytes" in done.stderr


def test_lists_and_removes_what_is_kept(few_pictures: Path, cli: Cli, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "something else").mkdir(parents=True)
    assert cli("train", "image", few_pictures, "-o", tmp_path / "run", *QUICK, "--cache", cache).returncode == 0
    [one] = json.loads(cli("data", "cache", "--folder", cache, "--json").stdout)
    assert one["data"] == str(few_pictures)
    assert one["examples"] == 45
    assert one["bytes"] > 45 * 24 * 24 * 3
    assert one["folder"] in cli("data", "cache", "--folder", cache).stdout
    cleared = cli("data", "cache", "--folder", cache, "--clear")
    assert "1 removed" in cleared.stderr
    assert [path.name for path in cache.iterdir()] == ["something else"]
    assert cli("data", "cache", "--folder", cache, "--json").stdout == "[]\n"
