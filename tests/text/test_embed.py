"""`multicnn embed`: word vectors learned, converted, looked up, and taken out of a run."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText
from gensim.models.fasttext import save_facebook_model
from safetensors.numpy import load_file

from multicnn.errors import UsageError
from multicnn.recipe_sections import Embed
from multicnn.text.learn import MOST_WORDS, in_pieces, learn_vectors
from multicnn.text.vectors import open_vectors
from tests.conftest import Cli

TOPICS = {"food": "bread apple soup cheese eat dinner", "sea": "wave ship harbour sailor tide boat"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines in which words of one topic stand together."""
    rng = np.random.default_rng(0)
    topics = [words.split() for words in TOPICS.values()]
    lines = [" ".join(rng.choice(topics[number % 2], 8)) for number in range(600)]
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("method", ["skipgram", "cbow", "fasttext"])
def test_words_that_stand_together_become_alike(method: str, corpus: Path, cli: Cli, tmp_path: Path) -> None:
    output = tmp_path / "vectors.bin"
    done = cli("embed", "train", corpus, "-o", output, "--method", method, "--length", 16, "--epochs", 20)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(output)
    assert "600 texts, 4,800 words" in done.stderr and "epoch 20/20" in done.stderr
    found = cli("embed", "neighbours", "ship", "--vectors", output, "--top", 5, "--json")
    assert set(json.loads(found.stdout)) == set(TOPICS["sea"].split()) - {"ship"}


def test_one_thread_repeats_itself_and_quiet_says_nothing(corpus: Path, cli: Cli, tmp_path: Path) -> None:
    for name in "ab":
        done = cli("embed", "train", corpus, "-o", tmp_path / name, "--threads", 1, "--seed", 3, "-q")
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_the_training_part_is_read(cli: Cli, tmp_path: Path) -> None:
    rows = ["text,label,split", *["plain words,a,train"] * 5, *["hidden words,b,test"] * 5, *["kept words,b,dev"] * 5]
    (tmp_path / "data.csv").write_text("\n".join(rows))
    done = cli("embed", "train", tmp_path / "data.csv", "-o", tmp_path / "v.txt", "--length", 4)
    assert done.returncode == 0, done.stderr
    assert set(open_vectors(tmp_path / "v.txt").key_to_index) == {"plain", "words"}


def test_a_line_that_is_no_text_is_named_and_left_out(cli: Cli, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "corpus.gz", "wb") as file:
        file.write(b"good words\n" * 5 + b"bad \xff words\n")
    done = cli("embed", "train", tmp_path / "corpus.gz", "-o", tmp_path / "v.txt", "--length", 4, "-q")
    assert done.returncode == 3
    assert "corpus.gz:6: byte 4 (0xff) is not UTF-8" in done.stderr
    assert len(open_vectors(tmp_path / "v.txt")) == 2


@pytest.mark.parametrize("name", ["v.vec", "v.txt.gz", "v.bin", "v.bin.gz", "v.kv"])
def test_converting_keeps_words_and_numbers(name: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("the 0.1 0.2\nship 0.3 0.4\n")
    done = cli("embed", "convert", tmp_path / "glove.txt", tmp_path / name)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["glove.txt", name])
    again = open_vectors(tmp_path / name)
    assert list(again.key_to_index) == ["the", "ship"]
    np.testing.assert_allclose(again.vectors, [[0.1, 0.2], [0.3, 0.4]], rtol=1e-6)


def test_fasttexts_own_file_is_read_with_its_pieces(corpus: Path, tmp_path: Path) -> None:
    model = FastText([line.split() for line in corpus.read_text().splitlines()], vector_size=8, bucket=500)
    save_facebook_model(model, str(tmp_path / "own.bin"))
    vectors = open_vectors(tmp_path / "own.bin")
    np.testing.assert_allclose(vectors["ship"], model.wv["ship"], rtol=1e-5)
    np.testing.assert_allclose(vectors["ships"], model.wv["ships"], rtol=1e-5)


def test_the_vectors_of_a_run_come_out(texts: Path, cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = ("-s", "model.options.filters=4", "-s", "model.options.embedding=6")
    assert cli("train", "text", texts, "-o", run, "--epochs", 1, *settings, "-q").returncode == 0
    done = cli("embed", "export", run, "-o", tmp_path / "v.bin")
    assert done.returncode == 0, done.stderr
    vectors = open_vectors(tmp_path / "v.bin")
    vocabulary = json.loads((run / "model" / "bundle.json").read_text())["reader"]["vocabulary"]
    assert vectors.index_to_key == vocabulary
    weight = load_file(run / "model" / "weights.safetensors")["network.features.embedding.weight"]
    np.testing.assert_array_equal(vectors.vectors, weight[2:])
    near = cli("embed", "neighbours", vocabulary[0], "--vectors", run, "--top", 3)
    assert len(near.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "{corpus}", "-o", "v.doc"), "v.doc: word vectors are written as"),
        (("train", "nowhere", "-o", "v.txt"), "nowhere"),
        (("train", "broken.gz", "-o", "v.txt"), "broken.gz cannot be read: Not a gzipped file"),
        (("train", "{corpus}", "-o", "v.txt", "--min-count", "10000", "-q"), "no word occurs 10000 times"),
        (("train", "{corpus}", "-o", "v.txt", "--tokenizer", "char"), "not char"),
        (("train", "{corpus}", "-o", "{corpus}"), "is there already"),
        (("convert", "pickle.kv", "v.txt"), "pickle.kv holds no word vectors"),
        (("neighbours", "shop", "--vectors", "{vectors}"), "no vector of shop; did you mean ship?"),
        (("neighbours", "ship", "--vectors", "{vectors}"), "ship is the only word"),
        (("export", "nowhere", "-o", "v.txt"), "no model nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: tuple[str, ...], said: str, corpus: Path, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "pickle.kv").write_bytes(b"\x80")
    (tmp_path / "broken.gz").write_bytes(b"no gzip")
    (tmp_path / "one.txt").write_text("ship 1 2\n")
    places = {"corpus": corpus, "vectors": tmp_path / "one.txt"}
    done = cli("embed", *(argument.format(**places) for argument in arguments), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "v.txt").exists()


def test_words_behind_the_longest_text_count_too() -> None:
    texts = [["a"] * MOST_WORDS + ["late"] * 5, []]
    assert [len(piece) for piece in in_pieces(texts)] == [MOST_WORDS, 5]
    assert "late" in learn_vectors(texts, Embed(length=2, epochs=1))


def test_a_corpus_without_enough_words_is_refused() -> None:
    with pytest.raises(UsageError, match="no word occurs 5 times"):
        learn_vectors([["once"]], Embed(length=2, epochs=1))
