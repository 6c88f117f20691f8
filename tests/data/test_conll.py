"""Tagged sentences in columns: what is read, what is left out, what is refused."""

from pathlib import Path

import pytest

from multicnn.data.example import Example
from multicnn.data.layout import Columns, open_dataset
from multicnn.data.word import Word, sentence_starts
from multicnn.errors import UsageError

CONLL_2003 = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
call NN I-NP O

-DOCSTART- -X- O O
Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
"""


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def sentences(examples: list[Example]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(e.content.sentence for e in examples if isinstance(e.content, Word)))


def test_a_word_is_an_example_that_knows_its_sentence(tmp_path: Path) -> None:
    data = open_dataset(written(tmp_path / "a.conll", CONLL_2003), "tokens")
    assert [e.content for e in data.examples] == ["EU", "rejects", "German", "call", "Peter", "Blackburn"]
    assert [e.label for e in data.examples] == ["B-ORG", "O", "B-MISC", "O", "B-PER", "I-PER"]
    assert sentences(data.examples) == [("EU", "rejects", "German", "call"), ("Peter", "Blackburn")]
    assert [e.name for e in data.examples][::4] == ["a.conll:3", "a.conll:9"]
    starts = sentence_starts(data.examples)
    assert starts is not None
    assert starts.tolist() == [True, False, False, False, True, False]


@pytest.mark.parametrize("text", ["a\tB-X\r\nb\tO\r\n\r\nc\tO", "﻿a B-X\nb O\n \t\n\n\nc O\n"])
def test_tabs_line_ends_and_empty_lines_of_any_kind(tmp_path: Path, text: str) -> None:
    data = open_dataset(written(tmp_path / "a.txt", text), "tokens")
    assert sentences(data.examples) == [("a", "b"), ("c",)]
    assert data.troubles == []


def test_a_broken_sentence_is_named_and_the_others_stay(tmp_path: Path) -> None:
    data = open_dataset(written(tmp_path / "a.iob", "a O\n\nb O\nalone\n\nc NN\n\nd B-X\n"), "tokens")
    assert sentences(data.examples) == [("a",), ("d",)]
    assert [str(trouble) for trouble in data.troubles] == [
        "a.iob:3: line 4 has one column, and a word and its tag take two",
        "a.iob:6: tags are O, or B- or I- and a type, not 'NN'",
    ]


def test_a_folder_of_parts(tmp_path: Path) -> None:
    (tmp_path / "wrapped").mkdir()
    for name in ("train", "dev", "test", "notes"):
        written(tmp_path / "wrapped" / f"{name}.conll", f"{name} O\n")
    data = open_dataset(str(tmp_path), "tokens")
    assert {str(e.content): e.split for e in data.examples} == {"train": "train", "dev": "validation", "test": "test"}
    assert data.notes == ["wrapped/notes.conll was passed over; its name says no part"]


def test_refuses_what_holds_no_tagged_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no file; looked for train, dev and test"):
        open_dataset(str(tmp_path), "tokens")
    path = written(tmp_path / "a.conll", "only\nwords\n")
    with pytest.raises(UsageError, match="no tagged sentence that can be read; a.conll:1: line 1 has one column"):
        open_dataset(path, "tokens")
    with pytest.raises(UsageError, match="text column words has no effect"):
        open_dataset(path, "tokens", columns=Columns(text="words"))
    written(tmp_path / "b.conll", "a O\n")
    with pytest.raises(UsageError, match="holds a.conll, b.conll"):
        open_dataset(str(tmp_path), "tokens")
    for name in ("train.conll", "training.txt"):
        written(tmp_path / name, "a O\n")
    with pytest.raises(UsageError, match="mean the same part"):
        open_dataset(str(tmp_path), "tokens")
