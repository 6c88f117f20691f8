"""Words that are tagged: the reader, the network, and runs of the command line from training to prediction."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from multicnn.blocks.classifier import Classifier
from multicnn.bundle.export import export_onnx
from multicnn.data.word import Word
from multicnn.errors import UsageError
from multicnn.text.tagging.network import TagCNN
from multicnn.text.tagging.pipeline import WordDropout
from multicnn.text.tagging.read import WordReader
from multicnn.text.tagging.words import words_of
from tests.conftest import Cli

pytestmark = pytest.mark.xdist_group("tagging")  # one worker, for they share trained runs

NAMES = ["Ada", "Bea", "Cem", "Dov", "Eva", "Fay", "Gus", "Hal", "Ida", "Jon", "Kai", "Lea", "Max", "Noa"]
PLACES = ["Rome", "Oslo", "Lima", "Kyiv", "Cairo", "Quito", "Delhi", "Tunis"]


def reader(window: int = 3, word_length: int = 4) -> WordReader:
    return WordReader(["the", "cat"], list("Tacehst"), window, word_length)


def column_file(path: Path, count: int, seed: int) -> None:
    """Sentences such as `Ada Noa went to Rome .`, in which names have one or two words."""
    rng = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        name = rng.choice(NAMES, rng.integers(1, 3), replace=False)
        words = [*((n, "I-PER" if i else "B-PER") for i, n in enumerate(name)), ("went", "O"), ("to", "O")]
        words += [(str(rng.choice(PLACES)), "B-LOC"), (".", "O")]
        lines += [f"{word} _ {tag}" for word, tag in words] + [""]
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    for seed, (name, count) in enumerate((("train", 200), ("dev", 30), ("test", 30))):
        column_file(folder / f"{name}.conll", count, seed)
    return folder


SMALL = ("--epochs", "4", "--set", "model.options.embedding=16", "--set", "model.options.hidden=32", "-q")


@pytest.fixture(scope="module")
def run(columns: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagged") / "run"
    done = cli("train", "text", columns, "--task", "tokens", "--output", folder, *SMALL)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_reader_sees_words_in_small_letters_and_characters_as_written() -> None:
    array = reader().read(Word(("The", "chest"), 0))
    assert array.tolist() == [[0, 0, 0, 0, 0], [2, 2, 6, 5, 0], [1, 4, 6, 7, 8]]  # chest: c, h and s, t


def test_a_window_has_a_middle() -> None:
    with pytest.raises(UsageError, match=r"text\.window is 1, 3, 5, \.\.\., not 4"):
        reader(window=4)


def test_reader_settings_give_the_reader_back() -> None:
    assert WordReader(**reader().settings()) == reader()


def test_padding_never_wins_a_pooling() -> None:
    """A word is spelt alike, however much padding is behind it."""
    network = TagCNN(3, 4, 9, 3).eval()
    words = torch.tensor([[[2, 2, 6, 5], [3, 4, 0, 0], [0, 0, 0, 0]]], dtype=torch.int32)
    wide = nn.functional.pad(words, (0, 6))
    torch.testing.assert_close(network(words), network(wide))


def test_the_graph_answers_as_the_network_does(tmp_path: Path) -> None:
    own, model = reader(), Classifier(nn.Identity(), TagCNN(3, 4, 9, 3)).eval()
    arrays = [own.read(Word(("The", "cat", "sat"), place)) for place in range(3)]
    export_onnx(model, own, arrays[0], tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"input": own.collate(arrays)})
    expected = model(torch.from_numpy(own.collate(arrays))).softmax(1).detach().numpy()
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_word_dropout_leaves_characters_and_padding() -> None:
    x = torch.randint(2, 9, (50, 3, 5), dtype=torch.int32)
    x[:, 0] = 0
    changed = WordDropout(0.5).inputs(x, torch.Generator().manual_seed(0))
    assert torch.equal(changed[:, :, 1:], x[:, :, 1:])
    assert torch.equal(changed[:, 0], x[:, 0])
    assert 20 < (changed[:, 1:, 0] == 1).sum() < 80


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Peter lives in the U.S., near New York.", "Peter lives in the U.S. , near New York ."),
        ('("AT&T" on 1996-08-22)', '( " AT&T " on 1996-08-22 )'),
        ("It's O'Brien’s e-mail", "It 's O'Brien ’s e-mail"),
        ("Мария живёт в Киеве.", "Мария живёт в Киеве ."),
        ("我在北京", "我 在 北 京"),
        ("  ", ""),
    ],
)
def test_words_keep_their_case_and_their_places(text: str, words: str) -> None:
    matches = words_of(text)
    assert [match[0] for match in matches] == words.split()
    assert all(text[slice(*match.span())] == match[0] for match in matches)


def test_a_run_learns_and_chooses_by_span_f1(run: Path) -> None:
    figures = json.loads((run / "metrics.json").read_text())
    assert figures["test"]["span_f1"] > 0.95
    assert set(figures["test"]["per_type"]) == {"LOC", "PER"}
    assert figures["test"]["accuracy"] > 0.95
    with (run / "history.csv").open() as file:
        history = [float(row["validation_span_f1"]) for row in csv.DictReader(file)]
    assert history[figures["best_epoch"] - 1] == max(history)


def test_evaluate_says_what_metrics_json_says(run: Path, columns: Path, cli: Cli) -> None:
    figures = json.loads((run / "metrics.json").read_text())
    done = cli("evaluate", run, columns, "--json")
    assert json.loads(done.stdout) == figures["test"]
    assert "span F1" in cli("evaluate", run, columns).stdout


def test_predict_gives_words_tags_and_spans(run: Path, cli: Cli) -> None:
    done = cli("predict", run, "--text", "Ada  Noa went to Rome.", "-", stdin="\nHal went to Oslo .\n")
    first, empty, last = map(json.loads, done.stdout.splitlines())
    assert first["words"] == ["Ada", "Noa", "went", "to", "Rome", "."]
    assert first["tags"] == ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]
    spans = [{key: span[key] for key in ("start", "end", "type", "text")} for span in first["spans"]]
    assert spans == [
        {"start": 0, "end": 8, "type": "PER", "text": "Ada  Noa"},
        {"start": 17, "end": 21, "type": "LOC", "text": "Rome"},
    ]
    assert all(0 < span["score"] <= 1 for span in first["spans"])
    assert empty == {"input": "", "error": "the text is empty"}
    assert [span["text"] for span in last["spans"]] == ["Hal", "Oslo"]
    assert done.returncode == 3


def test_predict_reads_files_line_by_line_or_whole(run: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Eva went to Lima .\nGus went to Kyiv .\n")
    assert len(cli("predict", run, "--lines", tmp_path / "a.txt").stdout.splitlines()) == 2
    whole = json.loads(cli("predict", run, tmp_path / "a.txt", tmp_path / "none.txt").stdout.splitlines()[0])
    assert [span["text"] for span in whole["spans"]] == ["Eva", "Lima", "Gus", "Kyiv"]


def test_predict_reads_columns_as_sentences_of_words(run: Path, columns: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("Ada _ B-PER\nNoa _ I-PER\nwent _ O\n\nto _ O\nNew-Rome _ O\n")
    (tmp_path / "bare.conll").write_text("Hal\n\n")
    (tmp_path / "empty.conll").write_text("\n")
    names = ("new.txt", "bare.conll", "empty.conll")
    first, second, bare, empty = map(json.loads, cli("predict", run, *names, cwd=tmp_path).stdout.splitlines())
    assert (first["input"], first["words"]) == ("new.txt:1", ["Ada", "Noa", "went"])
    assert [(one["start"], one["end"], one["text"]) for one in first["spans"]] == [(0, 7, "Ada Noa")]
    assert (second["input"], second["words"]) == ("new.txt:5", ["to", "New-Rome"])
    assert (bare["input"], bare["words"]) == ("bare.conll:1", ["Hal"])
    assert empty == {"input": "empty.conll", "error": "the text is empty"}


def test_predict_and_evaluate_agree_on_columns(run: Path, columns: Path, cli: Cli) -> None:
    answers = [json.loads(line) for line in cli("predict", run, columns / "test.conll").stdout.splitlines()]
    predicted = [tag for one in answers for tag in one["tags"]]
    lines = (columns / "test.conll").read_text().splitlines()
    truth = [line.split()[-1] for line in lines if line]
    figures = json.loads(cli("evaluate", run, columns / "test.conll", "--json").stdout)
    right = sum(one == other for one, other in zip(predicted, truth, strict=True))
    assert right / len(truth) == figures["accuracy"]


def test_a_folder_of_columns_is_predicted_as_well(run: Path, columns: Path, cli: Cli) -> None:
    sentences = cli("predict", run, columns).stdout.splitlines()
    assert len(sentences) == 260
    assert json.loads(sentences[0])["input"] == f"{columns}/dev.conll:1"


def test_info_and_features_know_words(run: Path, cli: Cli, tmp_path: Path) -> None:
    told = cli("info", run).stdout
    assert "5 tags" in told
    assert "characters" in told
    done = cli("features", run, "--text", "Ada", "-o", tmp_path / "a.npy")
    assert done.returncode == 2 and not (tmp_path / "a.npy").exists()
    assert "tags words one by one; features are those of whole pictures, sounds or texts" in done.stderr


@pytest.mark.parametrize("option", [("--top-k", "2"), ("--threshold", "0.5"), ("--format", "csv"), ("-o", "a.tsv")])
def test_predict_refuses_what_has_no_meaning(option: tuple[str, str], run: Path, cli: Cli) -> None:
    done = cli("predict", run, "--text", "Ada", *option)
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_word_is_tagged_without_torch(run: Path) -> None:
    code = (
        "import sys; from multicnn.cli.main import run\n"
        f"sys.argv = ['multicnn', 'predict', {str(run)!r}, '--text', 'Ada']\n"
        "try: run()\nfinally: assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["words"] == ["Ada"]


def test_sentences_stay_whole_where_a_validation_part_is_cut(tmp_path: Path, cli: Cli) -> None:
    column_file(tmp_path / "all.conll", 60, 3)
    done = cli("train", "text", tmp_path / "all.conll", "--task", "tokens", "-o", tmp_path / "run", *SMALL)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "run" / "split.csv").open() as file:
        parts = {int(row["name"].partition(":")[2]): row["split"] for row in csv.DictReader(file)}
    assert set(parts.values()) == {"train", "validation"}
    assert all(parts.get(line + 1, part) == part for line, part in parts.items())  # lines without a gap are a sentence


def test_a_broken_sentence_is_left_out_and_said(columns: Path, tmp_path: Path, cli: Cli) -> None:
    text = (columns / "train.conll").read_text()
    (tmp_path / "a.conll").write_text(f"{text}\nalone\n")
    done = cli("train", "text", tmp_path / "a.conll", "--task", "tokens", "-o", tmp_path / "run", *SMALL)
    assert done.returncode == 3
    assert "has one column, and a word and its tag take two; it was left out" in done.stderr


def test_vectors_from_a_file(columns: Path, tmp_path: Path, cli: Cli) -> None:
    words = ["went", "to", "rome", "zurich"]
    (tmp_path / "vectors.txt").write_text("\n".join(f"{word} 0.1 0.{i} 0.3" for i, word in enumerate(words)))
    arguments = ("train", "text", columns, "--task", "tokens", "--vectors", tmp_path / "vectors.txt", "--dry-run")
    plan = json.loads(cli(*arguments, "--json").stdout)
    assert plan["recipe"]["model"]["options"]["embedding"] == 3
    assert "3 of 25 words have a vector of 3 numbers" in plan["notes"][0]
    assert "1 words that do not occur in it keep theirs" in plan["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arch", "textcnn"), "textcnn does not tag words; there is tagcnn"),
        (("--vectors-mode", "static"), "unknown recipe key text.vectors_mode"),
        (("--set", "text.window=2"), "text.window is 1, 3, 5"),
        (("--set", "model.options.filters=3"), "tagcnn has no option filters"),
        (("--text-column", "a"), "the text column a has no effect"),
        (("--vectors", "train"), "there is no file of word vectors train"),
        (("--test", "sample:docstrings"), "sample:docstrings is for the text pipeline; the tokens pipeline has none"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple[str, ...], said: str, columns: Path, cli: Cli) -> None:
    done = cli("train", "text", columns / "train.conll", "--task", "tokens", "--dry-run", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_tagger_gives_texts_no_class(cli: Cli) -> None:
    done = cli("train", "text", "sample:docstrings", "--arch", "tagcnn", "--dry-run")
    assert done.returncode == 2
    assert "there is no text architecture tagcnn; it tags words, which --task tokens asks for" in done.stderr


def test_a_run_goes_on_and_its_recipe_says_how(run: Path, cli: Cli) -> None:
    done = cli("train", "text", "--output", run, "--resume")
    assert done.returncode == 2
    assert "use `multicnn train text --task tokens`" in done.stderr
    done = cli("train", "text", "--task", "tokens", "--output", run, "--resume", "-q")
    assert done.returncode == 0, done.stderr


def test_folds_of_ensembles_have_figures_of_spans(tmp_path: Path, cli: Cli) -> None:
    column_file(tmp_path / "all.conll", 60, 3)
    several = ("--folds", "2", "--ensemble", "2", "--task", "tokens", *SMALL)
    done = cli("train", "text", tmp_path / "all.conll", "-o", tmp_path / "run", *several)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    with (tmp_path / "run" / "predictions.csv").open() as file:
        begins = sum(row["label"].startswith("B-") for row in csv.DictReader(file))
    assert figures["test"]["spans"] == begins
    assert len(figures["folds"]["span_f1"]["values"]) == 2
