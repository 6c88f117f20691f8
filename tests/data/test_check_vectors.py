"""`data check --vectors`: which words of the texts lack a vector."""

import gzip
import json
from pathlib import Path

import pytest

from multicnn.errors import UsageError
from multicnn.text.vectors import open_vectors
from tests.conftest import Cli

GLOVE = "the 0.1 0.2\nship 0.3 0.4\nwave 0.5 0.6\n"


@pytest.mark.parametrize("header", ["", "3 2\n"], ids=["glove", "word2vec"])
@pytest.mark.parametrize("packed", [False, True])
def test_text_formats_are_read_plain_and_packed(header: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / ("v.txt.gz" if packed else "v.txt")
    content = (header + GLOVE).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    vectors = open_vectors(path)
    assert list(vectors.key_to_index) == ["the", "ship", "wave"]
    assert vectors["ship"].tolist() == pytest.approx([0.3, 0.4])


def test_words_without_a_vector_are_named(texts: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(GLOVE)
    done = cli("data", "check", texts, "--kind", "text", "--vectors", tmp_path / "v.txt", "--json")
    assert done.returncode == 0, done.stderr
    section = next(one for one in json.loads(done.stdout)["sections"] if one["title"] == "Word vectors")
    named = {item.split(" ")[0] for finding in section["findings"] for item in finding["items"]}
    assert "bread" in named
    assert "ship" not in named


@pytest.mark.parametrize("content", ["", "the one two\n", "\x00\x01"])
def test_what_holds_no_vectors_is_said(content: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(UsageError, match=r"v\.txt holds no word vectors"):
        open_vectors(tmp_path / "v.txt")
