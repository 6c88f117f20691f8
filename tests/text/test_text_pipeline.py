"""What a text recipe comes to: tokens, lengths, and vectors from a file, all the way into a run."""

import csv
import gc
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from multicnn.data.example import Example
from multicnn.errors import UsageError
from multicnn.pipeline import load_pipeline
from multicnn.recipe import TextRecipe
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import Outline, outline
from multicnn.training.progress import Reporter
from multicnn.training.run_folder import RunFolder
from multicnn.training.session import Session
from multicnn.training.train import train
from tests.conftest import WORDS, Cli

KNOWN = [word for words in WORDS.values() for word in words.split()][:9]  # of 12, and of 5 filler words


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as GloVe's, of 6 numbers, with most of the words and many others."""
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    rng = np.random.default_rng(0)
    lines = [f"{word} {' '.join(f'{x:.4f}' for x in rng.normal(size=6))}" for word in [*KNOWN, *"qrstuvwx"]]
    path.write_text("\n".join(lines))
    return path


def settled(texts: Path, **settings: object) -> Outline:
    return outline(load_recipe("text", None, {"data.path": str(texts), **settings}), "cpu")


@pytest.mark.parametrize(
    ("arch", "tokenizer", "lengths"),
    [
        ("textcnn", "unicode", (5, 12)),
        ("dcnn", "unicode", (5, 12)),
        ("charcnn", "char", (1014, 1014)),
        ("vdcnn", "char", (5, 70)),
    ],
)
def test_an_architecture_says_how_it_is_read(arch: str, tokenizer: str, lengths: tuple[int, int], texts: Path) -> None:
    plan = settled(texts, **{"model.arch": arch})
    recipe, reader = plan.recipe, plan.reader
    assert isinstance(recipe, TextRecipe)
    assert recipe.text.tokenizer == reader.settings()["tokenizer"] == tokenizer
    assert recipe.text.max_length == reader.settings()["max_length"]
    assert reader.settings()["min_length"] == lengths[0]
    assert reader.settings()["max_length"] == pytest.approx(lengths[1], rel=0.2)
    assert recipe.text.vectors_mode == "rand"


def test_what_is_asked_for_stays(texts: Path) -> None:
    plan = settled(texts, **{"model.arch": "charcnn", "text.max_length": 200, "text.tokenizer": "whitespace"})
    assert plan.reader.settings()["tokenizer"] == "whitespace"
    assert plan.reader.settings()["min_length"] == plan.reader.settings()["max_length"] == 200
    model = load_pipeline("text").network(plan.recipe, plan.reader, 2)
    batch = torch.from_numpy(plan.reader.collate([plan.reader.read("bread and soup")]))
    assert model(batch).shape == (1, 2)


def test_a_file_of_vectors_goes_in_and_is_told(texts: Path, vectors: Path) -> None:
    plan = settled(texts, **{"text.vectors": str(vectors)})
    recipe = plan.recipe
    assert isinstance(recipe, TextRecipe)
    assert recipe.text.vectors_mode == "nonstatic"
    assert recipe.model.options["embedding"] == 6
    (note,) = (line for line in plan.parts.notes if "vector" in line)
    assert "9 of 17 words have a vector of 6 numbers" in note
    weight = plan.pipeline.network(recipe, plan.reader, 2).network.features.embedding.weight
    written = dict(line.split(" ", 1) for line in vectors.read_text().splitlines())
    for number, word in enumerate(plan.reader.settings()["vocabulary"], start=2):
        if word in KNOWN:
            assert weight[number].tolist() == pytest.approx([float(x) for x in written[word].split()], abs=1e-6)
    assert sum(word in KNOWN for word in plan.reader.settings()["vocabulary"]) == 9


def test_kept_vectors_are_trained_around_exported_and_repeated(
    texts: Path, vectors: Path, cli: Cli, tmp_path: Path
) -> None:
    settings = {"data.path": str(texts), "text.vectors": str(vectors), "text.vectors_mode": "static"}
    settings |= {"training.epochs": 2, "training.batch_size": 8, "training.ema": 0.9, "training.precision": "fp32"}
    recipe = load_recipe("text", None, settings)
    plan = outline(recipe, "cpu")
    before = plan.pipeline.network(plan.recipe, plan.reader, 2).network.features.embedding.static
    known = [n for n, word in enumerate(plan.reader.settings()["vocabulary"], start=2) if word in KNOWN]
    train(recipe, RunFolder(tmp_path / "run"), Reporter(quiet=True), started=0.0)
    weights = load_file(tmp_path / "run" / "model" / "weights.safetensors")
    kept = weights["network.features.embedding.static"]
    assert torch.equal(kept[known], before[known])
    assert "network.features.embedding.weight" not in weights
    config = tmp_path / "run" / "config.yaml"
    assert yaml.safe_load(config.read_text())["text"]["vectors"] == str(vectors)
    again = cli("train", "text", "--recipe", config, "-o", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    repeated = load_file(tmp_path / "again" / "model" / "weights.safetensors")
    assert all(torch.equal(weights[name], repeated[name]) for name in weights)
    figures = [json.loads((tmp_path / run / "metrics.json").read_text())["test"] for run in ("run", "again")]
    assert figures[0] == figures[1]


def test_the_options_of_the_command_line(texts: Path, vectors: Path, cli: Cli, tmp_path: Path) -> None:
    asked = ("--vectors", vectors, "--vectors-mode", "multichannel", "--epochs", "1", "--batch-size", "8")
    done = cli("train", "text", texts, "-o", tmp_path / "run", *asked)
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stderr.splitlines() if "9 of 17 words have a vector" in line]) == 1
    weights = load_file(tmp_path / "run" / "model" / "weights.safetensors")
    assert weights["network.features.embedding.static"].shape == weights["network.features.embedding.weight"].shape
    assert len(list(csv.DictReader((tmp_path / "run" / "history.csv").open()))) == 1


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("text", ("--vectors-mode", "static"), "vectors_mode static needs vectors"),
        ("text", ("--vectors-mode", "statik"), "'static'"),
        ("text", ("--vectors", "nowhere.txt"), "no file of word vectors nowhere.txt"),
        ("image", ("--vectors", "nowhere.txt"), "no option --vectors"),
        ("audio", ("--vectors-mode", "static"), "no option --vectors-mode"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    kind: str, arguments: tuple[str, ...], said: str, texts: Path, cli: Cli, tmp_path: Path
) -> None:
    done = cli("train", kind, texts, "-o", tmp_path / "run", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"text.vectors_mode": "rand"}, "vectors_mode rand leaves the file of vectors unused"),
        ({"model.options": {"embedding": 7}}, "vectors of 6 numbers, not model.options.embedding 7"),
        ({"model.arch": "charcnn"}, "charcnn reads characters"),
        ({"model.arch": "vdcnn"}, "vdcnn reads characters"),
    ],
)
def test_a_file_of_vectors_that_has_no_use_is_refused(
    settings: dict[str, object], said: str, texts: Path, vectors: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        settled(texts, **{"text.vectors": str(vectors), **settings})


def test_a_file_of_other_words_is_refused(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("xylophone 1 2 3\nzebra 4 5 6\n")
    with pytest.raises(UsageError, match="none of the 17 words"):
        settled(texts, **{"text.vectors": str(tmp_path / "other.txt")})


def test_vectors_are_learned_from_the_training_texts_alone(texts: Path) -> None:
    settings = {"text.vectors": "train", "text.embed.length": 8, "text.embed.epochs": 2}
    plan = settled(texts, **settings)
    assert isinstance(plan.recipe, TextRecipe)
    assert plan.recipe.text.vectors_mode == "nonstatic" and plan.recipe.model.options["embedding"] == 8
    (note,) = (line for line in plan.parts.notes if "vector" in line)
    assert "vectors of the training texts: 17 of 17 words have a vector of 8 numbers" in note
    learned = plan.pipeline.network(plan.recipe, plan.reader, 2).network.features.embedding.weight
    again = settled(texts, **settings)
    repeated = again.pipeline.network(again.recipe, again.reader, 2).network.features.embedding.weight
    assert torch.equal(learned[2:], repeated[2:])


def test_every_setting_of_a_recipe_for_texts_is_settled(texts: Path) -> None:
    recipe = settled(texts).recipe
    assert isinstance(recipe, TextRecipe)
    assert "auto" not in str(recipe.text.model_dump())
    assert recipe.text.embed.epochs == 20


@pytest.mark.slow
def test_a_run_starts_from_its_own_vectors_and_repeats_itself(texts: Path, cli: Cli, tmp_path: Path) -> None:
    few = ("-s", "text.embed.length=8", "-s", "model.options.filters=4", "--epochs", 1)
    done = cli("train", "text", texts, "-o", tmp_path / "run", "--vectors", "train", *few)
    assert done.returncode == 0, done.stderr
    again = cli("train", "text", "--recipe", tmp_path / "run" / "config.yaml", "-o", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    first, second = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("run", "again"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_words_of_the_file_keep_their_vectors_where_these_are_static(texts: Path, vectors: Path) -> None:
    plan = settled(texts, **{"text.vectors": str(vectors), "text.vectors_mode": "static"})
    assert plan.reader.settings()["vocabulary"][17:] == list("qrstuvwx")
    assert any("9 of 17 words" in note and "8 words that do not occur in it" in note for note in plan.parts.notes)
    table = plan.pipeline.network(plan.recipe, plan.reader, 2).network.features.embedding.static
    written = dict(line.split(" ", 1) for line in vectors.read_text().splitlines())
    (number,) = plan.reader.read("Q")
    assert table[number].tolist() == pytest.approx([float(x) for x in written["q"].split()], abs=1e-6)
    learned = settled(texts, **{"text.vectors": str(vectors)})
    assert len(learned.reader.settings()["vocabulary"]) == 17
    extended = settled(texts, **{"text.vectors": str(vectors), "text.extend_vocabulary": True})
    assert len(extended.reader.settings()["vocabulary"]) == 25


def test_the_unknown_word_may_have_the_mean_of_all_vectors(texts: Path, vectors: Path) -> None:
    plan = settled(texts, **{"text.vectors": str(vectors), "text.unknown": "vector"})
    weight = plan.pipeline.network(plan.recipe, plan.reader, 2).network.features.embedding.weight
    numbers = [line.split()[1:] for line in vectors.read_text().splitlines()]
    assert weight[1].tolist() == pytest.approx(np.array(numbers, float).mean(0), abs=1e-5)


@pytest.mark.parametrize(("key", "value"), [("text.unknown", "vector"), ("text.extend_vocabulary", True)])
def test_what_needs_vectors_says_so(key: str, value: object, texts: Path) -> None:
    with pytest.raises(UsageError, match="needs vectors; name a file"):
        settled(texts, **{key: value})


def test_the_texts_are_let_go_before_the_first_step(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left() -> int:
        gc.collect()
        return sum(type(one) is Example and one.name.startswith("texts.csv:") for one in gc.get_objects())

    others, found = left(), []
    monkeypatch.setattr(Session, "go", lambda self, *rest: found.append(left()) or {})
    recipe = load_recipe("text", None, {"data.path": str(texts)})
    train(recipe, RunFolder(tmp_path / "run"), Reporter(quiet=True), started=0.0)
    assert found == [others]
    assert len((tmp_path / "run" / "split.csv").read_text().splitlines()) == 121
