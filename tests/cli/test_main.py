"""The front door: help, versions, misspelt words, what is imported, recipes from anywhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import multicnn
from tests.conftest import Cli

HEAVY = {
    "torch",
    "torchvision",
    "torchaudio",
    "librosa",
    "gensim",
    "sklearn",
    "scipy",
    "pandas",
    "pyarrow",
    "matplotlib",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trian",), "did you mean train?"),
        (("train", "images", "x"), "did you mean image?"),
        (("train", "image", "--epoch", "3"), "did you mean --epochs?"),
        (("predict",), "model"),
        (("predict", "nowhere"), "nowhere"),
        (("train", "image", "x", "--epochs", "many"), "--epochs"),
        (("recipes", "show", "nothing"), "no recipe nothing"),
        (("evaluate", "x", "y", "--nope"), "--nope"),
        (("train", "image"), "no data"),
        (("train", "image", "--resume"), "--output"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(
    arguments: tuple[str, ...], message: str, cli: Cli, tmp_path: Path
) -> None:
    done = cli(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("multicnn: ")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert message in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["train", "image", "--help"], ["predict", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from multicnn.cli.main import run\n"
        f"sys.argv = ['multicnn', *{arguments!r}]\n"
        "try: run()\n"
        "finally: import json; print(json.dumps([m.split('.')[0] for m in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stderr.strip().splitlines()[-1]))
    assert not imported & (HEAVY | {"numpy", "onnxruntime", "PIL"})


def test_every_train_option_tells_its_default(cli: Cli) -> None:
    for kind in ("image", "audio", "text"):
        page = " ".join(cli("train", kind, "--help").stdout.split())
        options = page.split("Options:")[1].replace("(see ", "").split(" --")[1:]
        switches = ("resume", "overwrite", "dry-run", "json", "quiet", "help")
        without = [one.split()[0] for one in options if "Default" not in one and not one.startswith(switches)]
        assert not without


def test_version_and_module(cli: Cli) -> None:
    assert cli("--version").stdout.strip() == f"multicnn {multicnn.__version__}"


def test_recipes_work_from_anywhere(cli: Cli, tmp_path: Path) -> None:
    names = json.loads(cli("recipes", "list", "--json", cwd=tmp_path).stdout)
    assert names
    name = next(iter(names))
    shown = cli("recipes", "show", name, cwd=tmp_path).stdout
    copied = cli("recipes", "copy", name, cwd=tmp_path)
    assert copied.returncode == 0, copied.stderr
    assert (tmp_path / copied.stdout.strip()).read_text() == shown
    assert cli("recipes", "copy", name, cwd=tmp_path).returncode == 2
    listed = cli("recipes", "list", "--pipeline", name.split("/")[0], cwd=tmp_path).stdout
    assert listed.splitlines()[0].startswith(name.split("/")[0])
