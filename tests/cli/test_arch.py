"""multicnn arch: list, show, compare."""

import json

import pytest

from multicnn.architectures import TABLE
from tests.conftest import Cli


def test_list_tells_every_architecture(cli: Cli) -> None:
    done = cli("arch", "list", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert set(listed) == {name for table in TABLE.values() for name in table}
    assert listed["resnet18"]["parameters"] == 11_689_512
    assert listed["resnet18"]["input"] == [3, 224, 224]
    assert listed["lenet"]["parameters"] == 61_706
    assert listed["lenet"]["pipelines"] == ["image", "audio"]
    text = cli("arch", "list", "--pipeline", "text").stdout
    assert "textcnn" in text
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
    ],
)
def test_what_cannot_be_shown_is_one_line_and_status_2(arguments: tuple[str, ...], message: str, cli: Cli) -> None:
    done = cli("arch", *arguments)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert message in done.stderr
    assert not done.stdout
