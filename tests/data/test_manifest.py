"""Rows come out exactly as they were written, and what is wrong with one is told."""

import csv
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.data.blob import Blob
from multicnn.data.examples import DataSet
from multicnn.data.layout import Columns, open_dataset
from multicnn.data.tables import read_table
from multicnn.errors import UsageError


def opened(tmp_path: Path, content: bytes | str, name: str = "m.csv", **options: object) -> DataSet:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_dataset(str(path), "text", **options)  # type: ignore[arg-type]


def test_strings_stay_as_written(tmp_path: Path) -> None:
    data = opened(tmp_path, 'text,label\n NULL ,no\n007, cat \n"a ""b"", c\nd",NULL\n1e3,0x1\n,True\n')
    assert [(e.content, e.label) for e in data.examples] == [
        (" NULL ", "no"),
        ("007", " cat "),
        ('a "b", c\nd', "NULL"),
        ("1e3", "0x1"),
        ("", "True"),
    ]
    assert [e.name for e in data.examples] == [f"m.csv:{n}" for n in range(1, 6)]


_text = st.text(st.characters(codec="utf-8"), max_size=20)
_label = _text.filter(lambda text: bool(text) and not text.isspace())


@given(st.lists(st.tuples(_text, _label), min_size=1, max_size=8))
def test_csv_round_trip(pairs: list[tuple[str, str]]) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *pairs])
        file.flush()
        table = read_table("m.csv", Blob(Path(file.name)))
        rows = list(table.rows)
    assert [tuple(row) for _, row in rows] == pairs


def test_parquet_and_jsonl_numbers_become_decimal_text(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"sentence": ["a", None], "target": [7, 12345678901234567]}), tmp_path / "m.parquet")
    data = open_dataset(str(tmp_path / "m.parquet"), "text")
    assert [(e.content, e.label) for e in data.examples] == [("a", "7"), ("", "12345678901234567")]
    lines = '{"text": "a\\u00e9", "label": 7}\n\n{"label": 1.50, "text": "b"}\n{"text": "c"}\n[1]\nx\n'
    data = opened(tmp_path, lines, "m.jsonl")
    assert [(e.name, e.content, e.label) for e in data.examples] == [
        ("m.jsonl:1", "aé", "7"),
        ("m.jsonl:3", "b", "1.50"),
    ]
    assert [t.name for t in data.troubles] == ["m.jsonl:4", "m.jsonl:5", "m.jsonl:6"]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends(tmp_path: Path, start: bytes, end: str) -> None:
    data = opened(tmp_path, start + f"text,label{end}a,b{end}{end}c,d".encode())
    assert [(e.name, e.content, e.label) for e in data.examples] == [("m.csv:1", "a", "b"), ("m.csv:2", "c", "d")]


def test_a_long_field(tmp_path: Path) -> None:
    long = "word " * 200_000
    assert opened(tmp_path, f'text,label\n"{long}",a\n').examples[0].content == long


def test_broken_rows_are_named_and_left_out(tmp_path: Path) -> None:
    data = opened(tmp_path, 'text,label\na,b\nc\nd,\ne,f,g\n"h" i,j\nk,l\n"m,n\n')
    assert [e.content for e in data.examples] == ["a", "k"]
    assert sorted(map(str, data.troubles)) == [
        "m.csv:2: 1 field, but 2 columns in the header",
        "m.csv:3: the label is empty",
        "m.csv:4: 3 fields, but 2 columns in the header",
        "m.csv:5: a quote in lines 6 to 6 is not closed or not doubled",
        "m.csv:7: a quote in lines 8 to 8 is not closed or not doubled",
    ]


@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
def test_a_byte_that_is_no_utf8_names_its_row(tmp_path: Path, name: str) -> None:
    rows = b'text,label\n"two\nlines",a\ncaf\xe9,b\n'
    with pytest.raises(UsageError, match=rf"{name}:2 byte 0xE9 is no UTF-8"):
        opened(tmp_path, rows.replace(b",", b"\t") if name == "m.tsv" else rows, name)


def test_characters_may_lie_across_what_is_looked_at_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multicnn.data.tables._CHECKED_AT_ONCE", 3)
    content = "text,label\n" + "".join(f"{'a' * (i % 4)}é你😀,x\n" for i in range(20))
    assert [e.content for e in opened(tmp_path, content).examples] == [f"{'a' * (i % 4)}é你😀" for i in range(20)]
    for cut in range(1, 4):
        with pytest.raises(UsageError, match=rf"m.csv:21 byte 0x{'😀'.encode()[0]:X} is no UTF-8"):
            opened(tmp_path, content.encode() + b"aa" + "😀".encode()[:cut], "m.csv")
    with pytest.raises(UsageError, match=r"m.csv:3 byte 0xFF is no UTF-8"):
        opened(tmp_path, content.replace("aaé", "a\udcffé").encode(errors="surrogateescape"))


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\n\n", b"\xef\xbb\xbf\r\n"])
def test_a_manifest_of_nothing_has_no_header(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="m.csv: it has no header"):
        opened(tmp_path, content)


def test_half_a_surrogate_pair_is_no_text(tmp_path: Path) -> None:
    rows = ['{"text": "a \\ud83d\\ude00", "label": "b"}', '{"text": "a \\uD800", "label": "b"}']
    data = opened(tmp_path, "\n".join(rows), "m.jsonl")
    assert [one.content for one in data.examples] == ["a 😀"]
    assert list(map(str, data.troubles)) == ["m.jsonl:2: has one half of a surrogate pair, which is no character"]


def test_a_manifest_may_come_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.csv")
    writer = threading.Thread(target=(tmp_path / "m.csv").write_text, args=("text,label\na,b\n",))
    writer.start()
    table = read_table("m.csv", Blob(tmp_path / "m.csv"))
    writer.join()
    assert table.columns == ["text", "label"] and list(table.rows) == [(1, ["a", "b"])]


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.tsv", "m.txt"])
def test_a_manifest_that_changes_while_it_is_read_is_told(tmp_path: Path, name: str) -> None:
    row = {"m.csv": b"%s,y\n", "m.jsonl": b'{"text": "%s"}\n', "m.tsv": b"%s\ty\n", "m.txt": b"__label__y %s\n"}[name]
    (tmp_path / name).write_bytes(b"".join(row % (b"x" * 1000) for _ in range(100)))
    rows = iter(read_table(name, Blob(tmp_path / name)).rows)
    next(rows)
    with (tmp_path / name).open("r+b") as file:
        file.seek(90_000)
        file.write(b"\xff")
    with pytest.raises(UsageError, match="changed or went away while it was read"):
        list(rows)


def test_lines_may_end_in_three_ways(tmp_path: Path) -> None:
    data = opened(tmp_path, b'text,label\r\n"a\r\nb",x\rc,y\n"d\re",x')
    assert [(e.name, e.content) for e in data.examples] == [
        ("m.csv:1", "a\r\nb"),
        ("m.csv:2", "c"),
        ("m.csv:3", "d\re"),
    ]


def test_tsv_with_quotes_that_mean_themselves(tmp_path: Path) -> None:
    data = opened(tmp_path, 'sentence\tlabel\n"quoted" start\t1\n12" long\t0\n"\t1\n', "m.tsv")
    assert [e.content for e in data.examples] == ['"quoted" start', '12" long', '"']
    assert "quotes are read as part of the text" in data.notes[0]
    data = opened(tmp_path, 'sentence\tlabel\n"a\tb"\t1\n', "m.tsv")
    assert [e.content for e in data.examples] == ["a\tb"]


def test_semicolons_of_other_spreadsheets(tmp_path: Path) -> None:
    assert opened(tmp_path, "text;label\na, b;c\n").examples[0].content == "a, b"


@pytest.mark.parametrize("header", ["text,label", "Sentence,CLASS", "TEXT,Category", "sentence,target"])
def test_columns_are_found_by_themselves(tmp_path: Path, header: str) -> None:
    assert opened(tmp_path, f"{header}\na,b\n").examples[0].label == "b"


def test_a_choice_between_columns_is_noted(tmp_path: Path) -> None:
    data = opened(tmp_path, "text,target,category\na,0,dog\n")
    assert data.examples[0].label == "dog"
    assert "column category is taken as the label (not target; --label-column says otherwise)" in data.notes[0]


def test_named_columns(tmp_path: Path) -> None:
    columns = Columns(text="body", label="y", split="part", fold="k", group="who")
    data = opened(tmp_path, "text,label,body,y,part,k,who\na,b,c,d,Dev,3,me\n", columns=columns)
    (example,) = data.examples
    found = (example.content, example.label, example.split, example.fold, example.group)
    assert found == ("c", "d", "validation", "3", "me")


def test_an_absent_column_lists_those_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no column lable; did you mean label\? \(its columns are: text, label\)"):
        opened(tmp_path, "text,label\na,b\n", columns=Columns(label="lable"))
    with pytest.raises(UsageError, match=r"has no column label, class, category, target .* --label-column"):
        opened(tmp_path, "text,y\na,b\n")
    with pytest.raises(UsageError, match=r"no column text, sentence, path, .* --text-column"):
        opened(tmp_path, "words,label\na,b\n")


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"m\.csv:2: the split is 'trian', not one of train"):
        opened(tmp_path, "text,label,split\na,b,train\na,b,trian\n")


def test_the_label_is_optional_for_predict(tmp_path: Path) -> None:
    data = opened(tmp_path, "text,split\na,whatever\n\nb,\n", labelled=False)
    assert [(e.content, e.label, e.split) for e in data.examples] == [("a", None, None), ("b", None, None)]


def test_texts_by_path(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    data = opened(tmp_path, "file,label\na.txt,x\ngone.txt,x\n")
    assert [(e.name, e.content) for e in data.examples] == [("a.txt", "hello")]
    assert data.troubles[0].name == "gone.txt"


def test_labels_in_natural_order(tmp_path: Path) -> None:
    assert opened(tmp_path, "text,label\na,10\na,2\na,b\n").labels == ["2", "10", "b"]


def test_a_million_rows_in_seconds(tmp_path: Path) -> None:
    import time

    content = "text,label\n" + "".join(f'"row {i}, of many words",{i % 7}\n' for i in range(200_000))
    started = time.process_time()
    assert len(opened(tmp_path, content).examples) == 200_000
    assert time.process_time() - started < 4
