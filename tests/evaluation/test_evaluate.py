"""`multicnn evaluate` and `multicnn info`, the functions and the commands."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import COLOURS, image_model, text_model

from multicnn.bundle.read import open_bundle
from multicnn.errors import UsageError
from multicnn.evaluation.evaluate import BATCH, evaluate, measure
from multicnn.inference.predictor import Predictor


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "multicnn", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_model(tmp_path_factory.mktemp("model") / "m")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """test/ has three of each colour, one of the red ones is blue; train/ has one of each."""
    for part, count in (("train", 1), ("test", 3)):
        for colour in COLOURS:
            (tmp_path / "data" / part / colour).mkdir(parents=True)
            for index in range(count):
                shown = "blue" if (part, colour, index) == ("test", "red", 0) else colour
                Image.new("RGB", (4, 4), shown).save(tmp_path / "data" / part / colour / f"{index}.png")
    return tmp_path / "data"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts.csv").write_text("text,label\ngood,positive\nbad,negative\ngood good,negative\n")
    return tmp_path / "texts.csv"


def test_the_figures_are_those_of_the_test_part(model: Path, pictures: Path) -> None:
    figures, troubles = evaluate(model, str(pictures))
    assert troubles == []
    assert (figures["count"], figures["accuracy"]) == (9, pytest.approx(8 / 9))
    assert figures["confusion"] == {"labels": COLOURS, "matrix": [[2, 0, 1], [0, 3, 0], [0, 0, 3]]}


@pytest.mark.parametrize(("split", "count"), [("train", 3), ("all", 12), ("testing", 9)])
def test_another_part_can_be_chosen(model: Path, pictures: Path, split: str, count: int) -> None:
    assert evaluate(model, str(pictures), split=split)[0]["count"] == count


def test_a_part_that_is_not_there_is_refused_with_those_that_are(model: Path, pictures: Path) -> None:
    with pytest.raises(UsageError, match=r"no validation part, but train \(3\), test \(9\)|test \(9\), train \(3\)"):
        evaluate(model, str(pictures), split="val")
    with pytest.raises(UsageError, match="did you mean train"):
        evaluate(model, str(pictures), split="trian")


def test_data_without_parts_are_used_whole(model: Path, pictures: Path) -> None:
    notes: list[str] = []
    figures, _ = evaluate(model, str(pictures / "test"), notes=notes)
    assert figures["count"] == 9
    assert any("has no parts" in note for note in notes)


def test_evaluate_and_measure_agree_to_the_last_bit(model: Path, pictures: Path) -> None:
    predictor = Predictor(open_bundle(model))
    files = [pictures / "test" / colour / f"{index}.png" for colour in sorted(COLOURS) for index in range(3)]
    arrays = [predictor.reader.read(path.read_bytes()) for path in files]
    truth = [COLOURS.index(path.parent.name) for path in files]
    assert measure(predictor, arrays, truth, np.arange(9)) == evaluate(model, str(pictures))[0]


def test_batches_are_of_one_size_in_order(model: Path) -> None:
    class Counting(Predictor):
        sizes: list[int] = []  # noqa: RUF012 of one test

        def probabilities(self, arrays):  # type: ignore[no-untyped-def]
            self.sizes.append(len(arrays))
            return super().probabilities(arrays)

    predictor = Counting(open_bundle(model))
    arrays = np.zeros((BATCH + 6, 4, 4, 3), np.uint8)
    figures = measure(predictor, arrays, np.zeros(BATCH + 6, int), np.arange(BATCH + 6))
    assert figures["count"] == BATCH + 6
    assert predictor.sizes == [BATCH, 6]


def test_unknown_labels_are_named_with_the_nearest(model: Path, pictures: Path) -> None:
    (pictures / "test" / "green").rename(pictures / "test" / "gren")
    (pictures / "test" / "blue").rename(pictures / "test" / "zebra")
    with pytest.raises(UsageError, match="'gren', did you mean green, 'zebra'; it knows 'red', 'green', 'blue'"):
        evaluate(model, str(pictures))


def test_what_cannot_be_read_is_named_and_left_out(model: Path, pictures: Path, tmp_path: Path) -> None:
    (pictures / "test" / "red" / "0.png").write_bytes(b"")
    done = run("evaluate", model, pictures, "--json", "--output", tmp_path / "new" / "m.json")
    assert done.returncode == 3
    assert done.stderr == "multicnn: test/red/0.png: the file is empty; it was left out\n"
    figures = json.loads(done.stdout)
    assert (figures["count"], figures["accuracy"]) == (8, 1.0)
    assert json.loads((tmp_path / "new" / "m.json").read_text()) == figures


def test_the_table_has_all_figures_and_the_confusion(tmp_path: Path, texts: Path) -> None:
    done = run("evaluate", text_model(tmp_path / "m"), texts)
    assert done.returncode == 0 and "all 3 examples are used" in done.stderr
    for word in ("balanced accuracy", "macro F1", "log loss", "ECE", "66.67 %", "truth \\ predicted", "positive"):
        assert word in done.stdout


def test_an_output_that_is_no_number_fails(tmp_path: Path, texts: Path) -> None:
    texts.write_text(texts.read_text() + "odd,positive\n")
    done = run("evaluate", text_model(tmp_path / "m"), texts)
    assert done.returncode == 1 and "not a number for 1 of 4" in done.stderr and done.stderr.count("\n") == 1


def test_info_tells_what_the_model_is(model: Path) -> None:
    done = run("info", model)
    assert done.returncode == 0
    for word in ("pictures", "3 classes", "red, green, blue", "uint8 batch x 4 x 4 x 3", "by hand", "accuracy 50.00 %"):
        assert word in done.stdout
    assert json.loads(run("info", model / "model.onnx", "--json").stdout)["labels"] == COLOURS
    assert run("info", model.parent / "mm").returncode == 2


def test_nothing_imports_torch(model: Path, pictures: Path) -> None:
    code = (
        "import sys; from multicnn.cli.main import app; "
        f"app(['evaluate', {str(model)!r}, {str(pictures)!r}], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "librosa"} & set(done.stdout.split())
