"""`multicnn predict` as a user runs it."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_models import COLOURS, image_model, text_model

from tests.conftest import restore_interrupt

COMMAND = [sys.executable, "-m", "multicnn", "predict"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {"image": image_model(folder / "image"), "text": text_model(folder / "text")}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """red.png green.png blue.png, and broken.png, which is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for colour in COLOURS:
        Image.new("RGB", (9, 7), colour).save(folder / f"{colour}.png")
    (folder / "broken.png").write_bytes((folder / "red.png").read_bytes()[:40])
    return folder


def predict(*arguments: object, stdin: bytes = b"") -> tuple[int, list[Any], str]:
    """Runs it; returns the status, the JSON lines and what was said on stderr."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_pictures_by_folder_pattern_and_name(models: dict[str, Path], pictures: Path) -> None:
    (pictures / "broken.png").unlink()
    status, told, said = predict(models["image"], pictures, pictures / "*d.png", pictures / "green.png")
    assert (status, said) == (0, "")
    assert [Path(one["input"]).stem for one in told] == ["blue", "green", "red", "red", "green"]
    assert all(one["label"] == Path(one["input"]).stem and next(iter(one["scores"])) == one["label"] for one in told)
    assert told[0]["score"] == round(1 / (1 + 2 * 2.718281828459045**-10), 6)


def test_what_cannot_be_used_has_its_own_line_and_status_3(models: dict[str, Path], pictures: Path) -> None:
    names = [pictures / name for name in ("red.png", "broken.png", "gren.png", "blue.png")]
    status, told, said = predict(models["image"], *names)
    assert status == 3
    assert said == "multicnn: 2 of 4 inputs could not be used; each has its own error line\n"
    assert [one["input"] for one in told] == [str(name) for name in names]
    assert [one.get("label") for one in told] == ["red", None, None, "blue"]
    assert "did you mean green.png" in told[2]["error"]
    assert predict(models["image"], *names, "-q")[2] == ""


def test_paths_on_standard_input(models: dict[str, Path], pictures: Path) -> None:
    lines = "".join(f"{pictures}/{name}.png\0" for name in ("red", "gone", "blue")).encode()
    status, told, _ = predict(models["image"], "-", "-0", "--batch-size", "1", stdin=lines)
    assert status == 3
    assert [one.get("label", one.get("error")) for one in told] == ["red", "there is no such file", "blue"]


def test_texts_on_standard_input_keep_their_number(models: dict[str, Path]) -> None:
    status, told, _ = predict(models["text"], stdin=b"so good\n\nbad \xff\nodd\nbad bad")
    assert status == 3
    assert [one["input"] for one in told] == ["so good", "", "bad \udcff", "odd", "bad bad"]
    assert [one.get("label", "error") for one in told] == ["positive", "error", "error", "error", "negative"]
    assert told[1]["error"] == "the text is empty"


def test_single_texts_lines_documents_and_rows(models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("good\nbad\nbad")
    (tmp_path / "x.csv").write_text("sentence\ngood\nbad\n")
    status, told, _ = predict(models["text"], "--text", "good", "--text", "bad", tmp_path / "x.txt", tmp_path / "x.csv")
    assert status == 0
    assert [one["input"] for one in told] == [
        "good",
        "bad",
        *(f"{tmp_path}/x.{end}" for end in ("txt", "csv:1", "csv:2")),
    ]
    assert [one["label"][0] for one in told] == ["p", "n", "n", "p", "n"]
    _, told, _ = predict(models["text"], "--lines", tmp_path / "x.txt")
    assert [(one["input"], one["label"][0]) for one in told] == [("good", "p"), ("bad", "n"), ("bad", "n")]


def test_top_k_and_threshold(models: dict[str, Path]) -> None:
    _, told, _ = predict(models["text"], "--text", "good", "--text", "and", "--top-k", 1, "--threshold", 0.8)
    assert told[0]["scores"] == {"positive": told[0]["score"]}
    assert (told[1]["label"], told[1]["score"]) == (None, 0.5)


def test_output_takes_its_format_from_the_ending(models: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.tsv"
    assert predict(models["text"], "--text", "good", "-o", path) == (0, [], "")
    header, row = csv.reader(io.StringIO(path.read_text()), delimiter="\t")
    assert header[:4] == ["input", "label", "score", "error"] and row[:2] == ["good", "positive"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "x", "--top-k", "0"], "--top-k is at least 1"),
        (["--text", "x", "--threshold", "2"], "between 0 and 1"),
        (["--text", "x", "-0"], "-0 is about standard input"),
        (["--text", "x", "--root", "."], "none is among the inputs"),
        (["--text", "x", "--fromat", "csv"], "--format"),
    ],
)
def test_what_would_be_ignored_or_is_wrong_is_status_2(
    models: dict[str, Path], arguments: list[str], message: str
) -> None:
    status, told, said = predict(models["text"], *arguments)
    assert (status, told) == (2, [])
    assert message in said and said.count("\n") == 1


def test_text_options_are_for_text_models(models: dict[str, Path]) -> None:
    assert predict(models["image"], "--text", "x")[0] == predict(models["image"], "--lines", "x")[0] == 2


def test_a_missing_model_is_status_2(tmp_path: Path) -> None:
    status, told, said = predict(tmp_path / "model", "x.png")
    assert (status, told) == (2, []) and said.startswith("multicnn: there is no model")


def test_no_inputs_on_a_terminal_is_status_2(models: dict[str, Path]) -> None:
    _, terminal = pty.openpty()
    done = subprocess.run([*COMMAND, str(models["text"])], stdin=terminal, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no inputs" in done.stderr


def test_results_come_while_the_input_goes_on(models: dict[str, Path]) -> None:
    with subprocess.Popen(
        [*COMMAND, str(models["text"]), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for text in (b"good", b"bad"):
            process.stdin.write(text + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["input"] == text.decode()
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_closed_pipe_is_no_error(models: dict[str, Path]) -> None:
    lines = b"good\n" * 100_000
    command = f"{' '.join(COMMAND)} {models['text']} - | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], input=lines, capture_output=True, check=False)
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)


def test_a_closed_pipe_ends_it_though_the_input_goes_on(models: dict[str, Path]) -> None:
    with subprocess.Popen(
        [*COMMAND, str(models["text"]), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"good\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"bad\n")
        process.stdin.flush()
        assert process.wait(30) == 0


def test_an_interrupt_ends_it_with_130(models: dict[str, Path]) -> None:
    command = [*COMMAND, str(models["text"]), "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, preexec_fn=restore_interrupt) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(b"good\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b""


def test_a_closed_standard_input_is_status_2(models: dict[str, Path]) -> None:
    command = f"{' '.join(COMMAND)} {models['text']} - <&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "standard input is closed" in done.stderr


def test_a_table_on_a_terminal(models: dict[str, Path]) -> None:
    screen, terminal = pty.openpty()
    command = [*COMMAND, str(models["text"]), "--text", "good \x1b[2J [bold]", "--text", ""]
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, env=environment, check=False)
    shown = os.read(screen, 10_000).decode()
    assert done.returncode == 3
    assert "input" in shown and "positive" in shown and "88.08 %" in shown and "the text is empty" in shown
    assert "\x1b[2J" not in shown and "[bold]" in shown


def test_nothing_slow_is_imported(models: dict[str, Path], pictures: Path) -> None:
    code = (
        "import sys; from multicnn.cli.main import app; "
        f"app(['predict', {str(models['image'])!r}, {str(pictures / 'red.png')!r}], standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["label"] == "red"
    # pydantic is not among them: from 0.29 on typer itself imports it
    slow = "torch torchvision torchaudio onnx pyarrow sklearn scipy librosa numba matplotlib gensim pandas rich"
    assert not set(slow.split()) & set(done.stderr.split())
