"""Manifests as rows of strings, exactly as written: CSV, TSV, JSON lines, Parquet and fastText."""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multicnn.data.endings import ending
from multicnn.data.example import Trouble
from multicnn.data.report import counted
from multicnn.errors import UsageError

if TYPE_CHECKING:
    import _csv

Row = Sequence[str | None]
FASTTEXT = "__label__"
_FASTTEXT_LINE = re.compile(FASTTEXT + r"(\S*)\s?(.*)", re.DOTALL)
_WHOLE_FIELD = 2**31 - 1  # the csv module's own limit of 131,072 characters is less than a long document
_CHECKED_AT_ONCE = 1 << 20


@dataclass(slots=True)
class Table:
    """A manifest's rows.

    Args:
        columns: the header.
        rows: to be gone through once, for many of them are read only as they are asked for: the number of each good
            row, from 1 on, and its fields in the header's order, of which None is a missing value; or what is wrong
            with the row.
        notes: what the user should know.
    """

    columns: list[str]
    rows: Iterable[tuple[int, Row] | Trouble]
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
            return _read_jsonl(name, _checked(name, data, _lines_before))
        case ".txt":
            return _read_fasttext(name, _checked(name, data, _lines_before))
        case ".tsv":
            return _read_tsv(name, _checked(name, data, lambda text: _rows_before(text, "\t")))
    data = _checked(name, data, lambda text: _rows_before(text, ","))
    return _read_separated(name, data, _delimiter(data))


def _checked(name: str, data: bytes, rows_before: Callable[[bytes], int]) -> bytes:
    """A manifest without the byte order mark, once it is known to be UTF-8.

    Args:
        name: for the message.
        data: the bytes.
        rows_before: the number of the data row in which some bytes end.

    Raises:
        UsageError: a byte is no UTF-8; its row is named.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    decoder, whole = codecs.getincrementaldecoder("utf-8")(), memoryview(data)
    for start in range(0, len(data) + 1, _CHECKED_AT_ONCE):
        before = len(decoder.getstate()[0])  # bytes of a character that has begun
        try:
            decoder.decode(whole[start : start + _CHECKED_AT_ONCE], final=start + _CHECKED_AT_ONCE > len(data))
        except UnicodeDecodeError as error:
            at = start - before + error.start
            row = rows_before(data[:at] + b"x")
            where = f"{name}:{row}" if row else f"{name}: in the header,"
            raise UsageError(
                f"{where} byte 0x{data[at]:02X} is no UTF-8; save the file as UTF-8 (iconv -f latin1 -t utf-8)"
            ) from None
    return data


def _lines_before(data: bytes) -> int:
    return data.count(b"\n") + 1


def _rows_before(data: bytes, delimiter: str) -> int:
    csv.field_size_limit(_WHOLE_FIELD)
    return sum(1 for row in csv.reader(_lines(data, ""), delimiter=delimiter) if row) - 1


def _lines(data: bytes, end: str) -> Iterator[str]:
    """The lines of a text with their ends, decoded as they are asked for.

    Args:
        data: UTF-8.
        end: of a line; "" for any.
    """
    return io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=end)


def _delimiter(data: bytes) -> str:
    """A comma; where the header has none, the semicolon or tab of other spreadsheets."""
    header = next(_lines(data, "\n"), "")
    return next((mark for mark in ",;\t" if mark in header), ",")


def _read_separated(name: str, data: bytes, delimiter: str, *, quoted: bool = True) -> Table:
    """CSV and TSV; quotes may mean themselves."""
    csv.field_size_limit(_WHOLE_FIELD)
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(_lines(data, ""), strict=True, delimiter=delimiter, quoting=quoting)
    try:
        header = next(filter(None, reader), None)
    except csv.Error:
        raise UsageError(f"{name}: {_unclosed(0, reader.line_num)}") from None
    if header is None:
        raise UsageError(f"{name}: it has no header")
    return Table(header, _separated_rows(name, reader, len(header)))


def _separated_rows(name: str, reader: "_csv.Reader", width: int) -> Iterator[tuple[int, Row] | Trouble]:
    """A broken row is a trouble; the reader finds its feet again on the next line."""
    number, line = 0, reader.line_num
    while True:
        try:
            for row in reader:
                line = reader.line_num
                if not row:
                    continue
                number += 1
                if len(row) == width:
                    yield number, row
                else:
                    found = f"{counted(len(row), 'field')}, but {counted(width, 'column')} in the header"
                    yield Trouble(f"{name}:{number}", found)
            return
        except csv.Error:
            number += 1
            yield Trouble(f"{name}:{number}", _unclosed(line, reader.line_num))
            line = reader.line_num


def _unclosed(line: int, last: int) -> str:
    return f"a quote in lines {line + 1} to {last} is not closed or not doubled"


def _read_tsv(name: str, data: bytes) -> Table:
    """TSV comes with quotes as in CSV, or with quotes that mean themselves; the first that fits is taken."""

    def read(quoted: bool) -> Table:
        return _read_separated(name, data, "\t", quoted=quoted)

    def broken(quoted: bool) -> int:
        return sum(isinstance(row, Trouble) for row in read(quoted).rows)

    broken_quoted = broken(True) if b'"' in data else 0
    if not broken_quoted or broken(False) >= broken_quoted:
        return read(True)
    literal = read(False)
    literal.notes.append(f"{name}: quotes are read as part of the text, for they do not come in pairs")
    return literal


def _read_jsonl(name: str, data: bytes) -> Table:
    """JSON lines; a number keeps the digits it was written with."""
    found: list[tuple[int, dict[str, Any]] | Trouble] = []
    for number, line in enumerate(_lines(data, "\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_int=str, parse_float=str)
        except ValueError as error:
            found.append(Trouble(f"{name}:{number}", f"is not JSON ({error})"))
            continue
        found.append((number, row) if isinstance(row, dict) else Trouble(f"{name}:{number}", "is not a JSON object"))
    columns = list(dict.fromkeys(key for one in found if not isinstance(one, Trouble) for key in one[1]))
    if not columns:
        first = next((f"; {one}" for one in found if isinstance(one, Trouble)), "")
        raise UsageError(f"{name} holds no JSON objects, one a line{first}")
    rows = (
        one if isinstance(one, Trouble) else (one[0], [as_written(one[1].get(column)) for column in columns])
        for one in found
    )
    return Table(columns, rows)


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
    return Table(list(table.column_names), enumerate(zip(*columns, strict=True), start=1))


def _read_fasttext(name: str, data: bytes) -> Table:
    """fastText's training format: `__label__x words`; what follows the one space or tab is the text."""
    if not any(not isinstance(row, Trouble) and row[1][0] is not None for row in _fasttext_rows(name, data)):
        raise UsageError(f"{name} is no manifest: no line starts with {FASTTEXT}")
    return Table(["label", "text"], _fasttext_rows(name, data))


def _fasttext_rows(name: str, data: bytes) -> Iterator[tuple[int, Row] | Trouble]:
    for number, ended in enumerate(_lines(data, "\n"), start=1):
        line = ended.removesuffix("\n").removesuffix("\r")
        labelled = _FASTTEXT_LINE.fullmatch(line)
        if labelled is None:
            if line.strip():
                yield number, (None, line)
        elif labelled[2].startswith(FASTTEXT):
            yield Trouble(f"{name}:{number}", "has more than one label; exactly one is needed")
        else:
            yield number, labelled.groups()
