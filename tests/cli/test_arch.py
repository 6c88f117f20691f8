"""multicnn arch: list, show, compare."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from multicnn.catalogue import TABLES
from tests.conftest import Cli


def test_list_tells_every_architecture(cli: Cli) -> None:
    done = cli("arch", "list", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert set(listed) == {name for table in TABLES.values() for name in table}
    assert listed["resnet18"]["parameters"] == 11_689_512
    assert listed["resnet18"]["input"] == [3, 224, 224]
    assert listed["lenet"]["parameters"] == 61_706
    assert listed["lenet"]["pipelines"] == ["image", "audio"]
    text = cli("arch", "list", "--pipeline", "text").stdout
    assert "textcnn" in text
    assert "tagcnn" in cli("arch", "list", "--pipeline", "tokens").stdout
    assert "resnet18" not in text


def test_show_adds_up(cli: Cli) -> None:
    done = cli("arch", "show", "resnet18", "--input", "3x64x64", "--classes", "10", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["parameters"] == sum(layer["parameters"] for layer in told["layers"]) == 11_181_642
    assert told["multiply_adds"] == sum(layer["multiply_adds"] for layer in told["layers"])
    assert told["layers"][0]["name"] == "conv1"
    assert told["layers"][0]["output"] == [64, 32, 32]
    assert told["layers"][0]["receptive_field"] == [7, 7]


def test_show_prints_the_table(cli: Cli) -> None:
    done = cli("arch", "show", "lenet")
    assert done.returncode == 0, done.stderr
    assert "features.c1.0" in done.stdout
    assert "61,706" in done.stdout
    assert "most parameters: head.c5.0 78 %" in done.stdout


def test_texts_have_tokens_and_a_vocabulary(cli: Cli) -> None:
    done = cli("arch", "show", "textcnn", "--input", "20", "--classes", "5", "--vocabulary", "100", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["input"] == [20]
    assert told["parameters"] == 100 * 300 + 360_300 + 301 * 5


def test_compare_sets_side_by_side(cli: Cli) -> None:
    told = json.loads(cli("arch", "compare", "lenet", "resnet9", "--input", "3x32x32", "--json").stdout)
    assert list(told) == ["lenet", "resnet9"]
    assert all(one["seconds"] > 0 and one["input"] == [3, 32, 32] for one in told.values())
    table = cli("arch", "compare", "lenet", "textcnn").stdout
    assert "time per example" in table
    assert " ms" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "resnet81"), "no architecture resnet81; did you mean resnet18?"),
        (("show", "zzzz"), "multicnn arch list shows them"),
        (("show", "torchvision:alexnat"), "did you mean alexnet?"),
        (("show", "textcn"), "did you mean textcnn?"),
        (("show", "lenet", "--input", "big"), "3x224x224"),
        (("show", "lenet", "--input", ""), "3x224x224"),
        (("show", "lenet", "--input", "8x8"), "8 x 8 is too small"),
        (("show", "lenet", "--input", "8"), "lenet takes an input like 1x32x32, not 8"),
        (("compare", "lenet", "lenot"), "did you mean lenet?"),
        (("list", "--pipeline", "video"), "no pipeline video"),
        (("shwo", "lenet"), "did you mean show?"),
        (("show", "wave1d", "--input", "1x64x101"), "wave1d takes an input like 1x32000, not 1x64x101"),
        (("show", "lenet", "--format", "bmp"), "'bmp' is not one of 'table', 'json', 'svg', 'png', 'dot'"),
        (("show", "lenet", "-o", "net.txt"), "net.txt is no .svg, .png, .dot or .json file"),
        (("show", "lenet", "--json", "--format", "svg"), "--json contradicts --format svg"),
        (("show", "lenet", "--input", "8x8", "--format", "svg"), "8 x 8 is too small"),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_status_2(arguments: tuple[str, ...], message: str, cli: Cli) -> None:
    done = cli("arch", *arguments)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert message in done.stderr
    assert not done.stdout


def test_one_dimensional_inputs_are_samples(cli: Cli) -> None:
    for given in ("8000", "1x8000"):
        told = json.loads(cli("arch", "show", "wave1d", "--input", given, "--json").stdout)
        assert told["input"] == [1, 8000]
        assert told["layers"][0]["output"] == [64, 2000]
    listed = json.loads(cli("arch", "list", "--pipeline", "audio", "--json").stdout)
    assert listed["wave1d"]["pipelines"] == ["audio"]
    assert (listed["cnn14"]["classes"], listed["cnn14"]["parameters"]) == (527, 80_753_615)


def test_show_draws_in_the_format_that_is_asked_for_or_that_the_file_says(cli: Cli, tmp_path: Path) -> None:
    drawn = cli("arch", "show", "lenet", "--format", "svg")
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.startswith("<svg")
    assert "Convolution 5x5" in drawn.stdout
    assert cli("arch", "show", "lenet", "-o", tmp_path / "net.svg").returncode == 0
    assert (tmp_path / "net.svg").read_text() == drawn.stdout
    done = cli("arch", "show", "wave1d", "--input", "4000", "--classes", "3", "-o", tmp_path / "net.png")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")
    graph = cli("arch", "show", "textcnn", "--vocabulary", "100", "--format", "dot").stdout
    assert "WordVectors 100 to 300" in graph
    assert graph.count("GlobalMaxPool") == 1
    assert cli("arch", "show", "lenet", "-o", tmp_path / "net.json").returncode == 0
    assert json.loads((tmp_path / "net.json").read_text())["name"] == "lenet"


def test_a_picture_is_not_for_a_terminal(tmp_path: Path) -> None:
    screen, terminal = os.openpty()
    command = [sys.executable, "-m", "multicnn", "arch", "show", "lenet", "--format", "png"]
    done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, text=True, check=False)
    os.close(terminal)
    os.close(screen)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "multicnn: a PNG picture is not for a terminal; name a file with -o net.png"
    ]
