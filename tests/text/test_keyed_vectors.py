"""gensim's own files: words and numbers come in, code stays out."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec

from multicnn.errors import UsageError
from multicnn.text.vectors import open_vectors
from tests.conftest import Cli

SENTENCES = [["the", "ship", "sails"], ["the", "soup", "boils"]] * 20


def vectors() -> KeyedVectors:
    made = KeyedVectors(3)
    made.add_vectors(["the", "ship", "größer"], np.arange(9, dtype=np.float32).reshape(3, 3))
    return made


def same(path: Path, expected: KeyedVectors) -> bool:
    found = open_vectors(path)
    assert found.index_to_key == expected.index_to_key and found.key_to_index == expected.key_to_index
    return bool(np.array_equal(found.vectors, expected.vectors))


@pytest.mark.parametrize("name", ["v.kv", "wordvectors", "v.kv.gz"])
@pytest.mark.parametrize("beside", [False, True])
def test_what_gensim_saved_is_read(name: str, beside: bool, tmp_path: Path) -> None:
    saved = vectors()
    saved.save(str(tmp_path / name), sep_limit=0 if beside else 1 << 30)
    assert (len(list(tmp_path.iterdir())) > 1) == beside
    assert same(tmp_path / name, saved)


def test_the_vectors_of_a_model_are_read(tmp_path: Path) -> None:
    model = Word2Vec(SENTENCES, vector_size=4, min_count=1)
    model.wv.save(str(tmp_path / "v"))
    assert same(tmp_path / "v", model.wv)


class Harm:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_does_not_run(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "v.kv").write_bytes(pickle.dumps(Harm(tmp_path / "harm"), protocol))
    with pytest.raises(UsageError, match="holds no word vectors"):
        open_vectors(tmp_path / "v.kv")
    assert not (tmp_path / "harm").exists()


def test_what_is_wrong_is_said_in_one_line(cli: Cli, tmp_path: Path) -> None:
    Word2Vec(SENTENCES, vector_size=4, min_count=1).save(str(tmp_path / "whole.model"))
    FastText(SENTENCES, vector_size=4, min_count=1, bucket=50).wv.save(str(tmp_path / "pieces.kv"))
    vectors().save(str(tmp_path / "parted.kv"), sep_limit=0)
    (tmp_path / "parted.kv.vectors.npy").unlink()
    (tmp_path / "words.kv").write_bytes(pickle.dumps(["the", "ship"]))
    (tmp_path / "cut.kv").write_bytes(pickle.dumps(["the", "ship"])[:9])
    for name, said in {
        "whole.model": "word2vec.Word2Vec; save words and numbers alone, with wv.save_word2vec_format(FILE)",
        "pieces.kv": "FastTextKeyedVectors; save words and numbers alone",
        "parted.kv": "its numbers are in parted.kv.vectors.npy, which is not beside it",
        "words.kv": "without gensim 4's list of words",
        "cut.kv": "holds no word vectors",
    }.items():
        done = cli("embed", "convert", tmp_path / name, tmp_path / "v.txt")
        assert done.returncode == 2
        assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "v.txt").exists()
