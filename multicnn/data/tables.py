"""Manifests as rows of strings, exactly as written: CSV, TSV, JSON lines, Parquet and fastText."""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from multicnn.data.endings import ending
from multicnn.data.example import Trouble
from multicnn.data.report import counted
from multicnn.errors import UsageError

Row = Sequence[str | None]
FASTTEXT = "__label__"
_FASTTEXT_LINE = re.compile(FASTTEXT + r"(\S*)\s?(.*)", re.DOTALL)
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_WHOLE_FIELD = 2**31 - 1  # the csv module's own limit of 131,072 characters is less than a long document


@dataclass(slots=True)
class Table:
    """A manifest's rows.

    Args:
        name: the manifest's name, for messages.
        columns: the header.
        rows: the number of each good row, from 1 on, and its fields in the header's order; None is a missing value.
        troubles: the rows that could not be read.
        notes: what the user should know.
    """

    name: str
    columns: list[str]
    rows: list[tuple[int, Row]]
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_table(name: str, data: bytes) -> Table:
    """Reads a manifest; its ending says how.

    Args:
        name: its file name: .csv .tsv .jsonl .parquet, or .txt for fastText's `__label__x words` lines.
        data: its bytes, UTF-8 with or without a byte order mark.

    Raises:
        UsageError: it is empty, no UTF-8, or not what its ending says.
    """
    if not data:
        raise UsageError(f"{name} is empty")
    match ending(name):
        case ".parquet":
            return _read_parquet(name, data)
        case ".jsonl":
            return _read_jsonl(name, decode(name, data, _lines_before))
        case ".txt":
            return _read_fasttext(name, decode(name, data, _lines_before))
        case ".tsv":
            return _read_tsv(name, decode(name, data, lambda text: _rows_before(text, "\t")))
    text = decode(name, data, lambda text: _rows_before(text, ","))
    return _read_separated(name, text, _delimiter(text))


def decode(name: str, data: bytes, rows_before: Callable[[str], int]) -> str:
    """The text of a manifest, without the byte order mark.

    Args:
        name: for the message.
        data: the bytes.
        rows_before: the number of the data row in which a text ends.

    Raises:
        UsageError: a byte is no UTF-8; its row is named.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        row = rows_before(data[: error.start].decode() + "x")
        where = f"{name}:{row}" if row else f"{name}: in the header,"
        raise UsageError(
            f"{where} byte 0x{data[error.start]:02X} is no UTF-8; save the file as UTF-8 (iconv -f latin1 -t utf-8)"
        ) from None


def _lines_before(text: str) -> int:
    return text.count("\n") + 1


def _rows_before(text: str, delimiter: str) -> int:
    csv.field_size_limit(_WHOLE_FIELD)
    return sum(1 for row in csv.reader(_lines(text), delimiter=delimiter) if row) - 1


def _lines(text: str) -> Iterator[str]:
    """The lines of a text with their ends. (A StringIO takes four times the text's memory.)"""
    return (match[0] for match in _LINE.finditer(text))


def _delimiter(text: str) -> str:
    """A comma; where the header has none, the semicolon or tab of other spreadsheets."""
    header = text[: text.find("\n")] if "\n" in text else text
    return next((mark for mark in ",;\t" if mark in header), ",")


def _records(text: str, **dialect: Any) -> Iterator[tuple[int, list[str] | None, str]]:
    """Every record's number (0 is the header), its fields, or None and the reason where it is broken."""
    csv.field_size_limit(_WHOLE_FIELD)
    reader = csv.reader(_lines(text), strict=True, **dialect)
    number, line = -1, 0
    while True:
        number, line = number + 1, reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, None, f"a quote in lines {line + 1} to {reader.line_num} is not closed or not doubled"
            continue
        if row:
            yield number, row, ""
        else:
            number -= 1


def _read_separated(name: str, text: str, delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> Table:
    """CSV and TSV. A broken row is a trouble; the reader finds its feet again on the next line."""
    records = _records(text, delimiter=delimiter, quoting=quoting)
    _, header, reason = next(records, (0, None, "it has no header"))
    if header is None:
        raise UsageError(f"{name}: {reason}")
    table = Table(name, header, [])
    width = len(header)
    for number, row, reason in records:
        if row is not None and len(row) == width:
            table.rows.append((number, row))
        elif row is None:
            table.troubles.append(Trouble(f"{name}:{number}", reason))
        else:
            table.troubles.append(
                Trouble(
                    f"{name}:{number}", f"{counted(len(row), 'field')}, but {counted(width, 'column')} in the header"
                )
            )
    return table


def _read_tsv(name: str, text: str) -> Table:
    """TSV comes with quotes as in CSV, or with quotes that mean themselves; the first that fits is taken."""
    quoted = _read_separated(name, text, "\t")
    if '"' not in text or not quoted.troubles:
        return quoted
    literal = _read_separated(name, text, "\t", csv.QUOTE_NONE)
    if len(literal.troubles) >= len(quoted.troubles):
        return quoted
    literal.notes.append(f"{name}: quotes are read as part of the text, for they do not come in pairs")
    return literal


def _read_jsonl(name: str, text: str) -> Table:
    """JSON lines; a number keeps the digits it was written with."""
    objects: list[tuple[int, dict[str, Any]]] = []
    troubles: list[Trouble] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_int=str, parse_float=str)
        except ValueError as error:
            troubles.append(Trouble(f"{name}:{number}", f"is not JSON ({error})"))
            continue
        if isinstance(row, dict):
            objects.append((number, row))
        else:
            troubles.append(Trouble(f"{name}:{number}", "is not a JSON object"))
    columns = list(dict.fromkeys(key for _, row in objects for key in row))
    if not columns:
        first = f"; {troubles[0]}" if troubles else ""
        raise UsageError(f"{name} holds no JSON objects, one a line{first}")
    rows: list[tuple[int, Row]] = [(number, [as_written(row.get(c)) for c in columns]) for number, row in objects]
    return Table(name, columns, rows, troubles)


def as_written(value: Any) -> str | None:
    """A JSON or Parquet value as text: whole numbers in decimal, truth values as `true` and `false`."""
    match value:
        case str() | None:
            return value
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.decode("utf-8", "replace")
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _read_parquet(name: str, data: bytes) -> Table:
    """Parquet, read as a whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{name} is no readable Parquet file: {str(error).splitlines()[0]}") from error
    columns = [[as_written(value) for value in column.to_pylist()] for column in table.columns]
    rows: list[tuple[int, Row]] = list(enumerate(zip(*columns, strict=True), start=1))
    return Table(name, list(table.column_names), rows)


def _read_fasttext(name: str, text: str) -> Table:
    """fastText's training format: `__label__x words`; what follows the one space or tab is the text."""
    table = Table(name, ["label", "text"], [])
    lines = (line.removesuffix("\r") for line in text.removesuffix("\n").split("\n"))
    for number, line in enumerate(lines, start=1):
        labelled = _FASTTEXT_LINE.fullmatch(line)
        if labelled is None:
            if line.strip():
                table.rows.append((number, (None, line)))
        elif labelled[2].startswith(FASTTEXT):
            table.troubles.append(Trouble(f"{name}:{number}", "has more than one label; exactly one is needed"))
        else:
            table.rows.append((number, labelled.groups()))
    if not any(label is not None for _, (label, _) in table.rows):
        raise UsageError(f"{name} is no manifest: no line starts with {FASTTEXT}")
    return table
