"""Patterns on the command line: wherever a name of an architecture may stand."""

import json
from pathlib import Path

import pytest

from tests.conftest import Cli

IMAGE = "[[conv3-16 bn relu]*N -> pool2?]*2 -> gap -> fc"
AUDIO = "[conv3-8 bn relu pool2]*2 gap fc"
WAVEFORM = "conv80-8/4:p38 bn relu pool4 conv3-8 bn relu gap fc"
TEXT = "conv3-16 relu kmax2 fc8 relu drop0.2 fc"


@pytest.mark.parametrize(
    ("pipeline", "data", "pattern", "more"),
    [
        ("image", "pictures", IMAGE, ("--set", "model.options.N=1")),
        pytest.param("audio", "sounds", AUDIO, (), marks=pytest.mark.slow),
        ("audio", "sounds", WAVEFORM, ("--set", "audio.frontend=waveform")),
        ("text", "texts", TEXT, ("--set", "model.options.embedding=16")),
    ],
)
def test_a_pattern_trains_evaluates_and_predicts(
    pipeline: str,
    data: str,
    pattern: str,
    more: tuple[str, ...],
    cli: Cli,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    where, run = request.getfixturevalue(data), tmp_path / "run"
    done = cli("train", pipeline, where, "--arch", pattern, "--epochs", 2, "--output", run, "--quiet", *more)
    assert done.returncode == 0, done.stderr
    written = json.loads((run / "metrics.json").read_text())
    told = json.loads(cli("evaluate", run, where, "--json").stdout)
    assert told["accuracy"] == written["test"]["accuracy"]
    described = json.loads(cli("info", run, "--json").stdout)
    assert described["architecture"]["name"] == pattern
    again = cli(
        "train", pipeline, "--recipe", run / "config.yaml", "--output", tmp_path / "again", "--dry-run", "--json"
    )
    assert json.loads(again.stdout)["parameters"] == described["architecture"]["parameters"], again.stderr


def test_show_takes_a_pattern(cli: Cli) -> None:
    done = cli("arch", "show", "[conv3-64 relu]*2 pool2 gap fc", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["parameters"] == sum(layer["parameters"] for layer in told["layers"]) == 1_792 + 36_928 + 650
    assert told["input"] == [3, 32, 32]
    table = cli("arch", "compare", "lenet", "[conv3-8 relu]*2 gap fc", "--input", "3x32x32").stdout
    assert "[conv3-8 relu]*2 gap fc" in table
    text = json.loads(cli("arch", "show", "conv3-8 gmp fc", "--input", "12", "--classes", "3", "--json").stdout)
    assert text["input"] == [12]


@pytest.mark.parametrize(
    ("arguments", "message", "column"),
    [
        (("conv3-8/2 gap fc", "--input", "3x10x10"), "4.5 is not whole; conv4-8/2 (4), :same (5) or :floor (4)", 1),
        (("gap [fc", "--input", "3x10x10"), "this [ is never closed", 5),
        (("conv3-8 rellu gap fc",), "there is no layer rellu; did you mean relu?", 9),
        (("[conv3-8]*N gap fc",), "say --set model.options.N=2", 11),
    ],
)
def test_errors_point_at_the_column(arguments: tuple[str, ...], message: str, column: int, cli: Cli) -> None:
    done = cli("arch", "show", *arguments)
    assert done.returncode == 2
    line, pattern, caret = done.stderr.splitlines()
    assert line.startswith("multicnn: ")
    assert message in line
    assert pattern.strip() == arguments[0]
    assert caret.index("^") - 2 == column - 1
    assert not done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("model.options.M=3", "nothing in the pattern is called M"),
        ("model.options.N=x", "a name in a pattern stands for 0, 1, 2, ..., so model.options.N is not 'x'"),
    ],
)
def test_names_without_a_meaning_are_refused(options: str, message: str, cli: Cli, pictures: Path) -> None:
    done = cli("train", "image", pictures, "--arch", "[conv3-8]*N gap fc", "--set", options, "--dry-run")
    assert done.returncode == 2
    assert message in done.stderr
