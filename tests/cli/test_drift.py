"""multicnn drift: table, JSON and picture."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import Cli

SVG = "{http://www.w3.org/2000/svg}"
LAYERS = [
    {"name": "features.conv0", "shape": [6, 3, 5, 5], "correlation": 0.98, "relative_change": 0.1},
    {"name": "features.<conv1>", "shape": [6, 6, 5, 5], "correlation": -0.2, "relative_change": 0.4},
    {"name": "head", "shape": [10, 84], "correlation": None, "relative_change": None},
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    figures = {"format": 1, "weights": "imagenet", "epoch": 7, "layers": LAYERS}
    (folder / "drift.json").write_text(json.dumps(figures))
    return folder


def test_the_table_has_a_line_and_a_bar_for_each_layer(run: Path, cli: Cli) -> None:
    lines = cli("drift", run).stdout.splitlines()
    assert "imagenet" in lines[0]
    shown = [(line.split()[0], line.count("█")) for line in lines[2:]]
    assert shown == [("features.conv0", 8), ("features.<conv1>", 30), ("head", 0)]
    assert "6 x 3 x 5 x 5" in lines[2]
    assert "0.9800" in lines[2]


def test_json_is_the_file(run: Path, cli: Cli) -> None:
    assert json.loads(cli("drift", run, "--json").stdout)["layers"] == LAYERS
    assert json.loads(cli("drift", run / "drift.json", "--json").stdout)["layers"] == LAYERS


def test_the_picture_has_a_dot_for_each_figure(run: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("drift", run, "-o", tmp_path / "drift.svg")
    assert (done.returncode, done.stdout) == (0, "")
    root = ElementTree.parse(tmp_path / "drift.svg").getroot()
    dots = {dot[0].text: float(dot.attrib["cy"]) for dot in root.iter(f"{SVG}circle")}
    assert list(dots) == [
        "features.conv0: 0.9800", "features.<conv1>: -0.2000", "features.conv0: 0.1000", "features.<conv1>: 0.4000"
    ]  # fmt: skip
    high, low, small, large = dots.values()
    assert high < low < large < small  # a larger value stands higher up, and the changes below the correlations
    assert "head" in [text.text for text in root.iter(f"{SVG}text")]
    again = cli("drift", run, "-o", tmp_path / "drift.svg")
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    assert cli("drift", run, "-o", tmp_path / "drift.svg", "--overwrite").returncode == 0


def test_mistakes_are_told(run: Path, cli: Cli, tmp_path: Path) -> None:
    nothing = cli("drift", tmp_path)
    assert nothing.returncode == 2
    assert "drift.json: there is no such file; a run writes it when its training ends" in nothing.stderr
    assert ".svg" in cli("drift", run, "-o", tmp_path / "drift.png").stderr
    (run / "drift.json").write_text("[]")
    assert "is no drift.json" in cli("drift", run).stderr
    several = tmp_path / "several"
    (several / "fold-1").mkdir(parents=True)
    (several / "fold-1" / "drift.json").write_text("{}")
    assert "holds several runs; name one of them, such as" in cli("drift", several).stderr
