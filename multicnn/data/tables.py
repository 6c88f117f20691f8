"""Manifests as rows of strings, exactly as written: CSV, TSV, JSON lines, Parquet and fastText."""

import codecs
import csv
import io
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

from multicnn.data.blob import Blob
from multicnn.data.endings import ending
from multicnn.data.example import Trouble
from multicnn.data.report import counted
from multicnn.data.temporary import temporary_folder
from multicnn.errors import InputError, UsageError

if TYPE_CHECKING:
    import _csv

Row = Sequence[str | None]
FASTTEXT = "__label__"
_FASTTEXT_LINE = re.compile(FASTTEXT + r"(\S*)\s?(.*)", re.DOTALL)
_WHOLE_FIELD = 2**31 - 1  # the csv module's own limit of 131,072 characters is less than a long document
_CHECKED_AT_ONCE = 1 << 20
_ROWS_AT_ONCE = 1 << 14


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


def read_table(name: str, blob: Blob) -> Table:
    """Reads a manifest, of which no more is in memory than the row that is asked for; its ending says how.

    Args:
        name: its file name: .csv .tsv .jsonl .parquet, or .txt for fastText's `__label__x words` lines.
        blob: where it lies: UTF-8 with or without a byte order mark.

    Raises:
        UsageError: it cannot be read, is empty, no UTF-8, or not what its ending says; also while the rows are read.
    """
    try:
        blob = _settled(blob)
        if not blob.length():
            raise UsageError(f"{name} is empty")
        table = _reader(ending(name))(name, blob)
    except (InputError, OSError) as error:
        raise UsageError(f"{name}: {error}") from error
    table.rows = _readable(name, table.rows)
    return table


def _settled(blob: Blob) -> Blob:
    """What can be gone through more than once: a pipe's bytes are put into a file first."""
    if not blob.path.exists() or blob.path.is_file() or blob.path.is_dir():
        return blob
    copy = temporary_folder() / f"manifest-{secrets.token_hex(4)}"
    with blob.path.open("rb") as pipe, copy.open("wb") as file:
        shutil.copyfileobj(pipe, file)
    return Blob(copy)


def _reader(form: str) -> Callable[[str, Blob], Table]:
    known = {".parquet": _read_parquet, ".jsonl": _read_jsonl, ".txt": _read_fasttext, ".tsv": _read_tsv}
    return known.get(form, _read_csv)


def _readable(name: str, rows: Iterable[tuple[int, Row] | Trouble]) -> Iterator[tuple[int, Row] | Trouble]:
    """The rows, as long as the file stays as it is."""
    try:
        yield from rows
    except (InputError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} changed or went away while it was read: {error}") from error


def _check(name: str, blob: Blob, rows_before: Callable[[bytes], int]) -> None:
    """Makes sure that a manifest is UTF-8.

    Args:
        name: for the message.
        blob: the manifest.
        rows_before: the number of the data row in which some bytes end.

    Raises:
        UsageError: a byte is no UTF-8; its row is named.
    """
    decoder, at = codecs.getincrementaldecoder("utf-8")(), 0
    with _opened(blob) as file:
        for block in chain(iter(lambda: file.read(_CHECKED_AT_ONCE), b""), [b""]):
            before = len(decoder.getstate()[0])  # bytes of a character that has begun
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                at += error.start - before
                break
            at += len(block)
        else:
            return
    with _opened(blob) as file:
        data = file.read(at + 1)
    row = rows_before(data[:at] + b"x")
    where = f"{name}:{row}" if row else f"{name}: in the header,"
    raise UsageError(f"{where} byte 0x{data[at]:02X} is no UTF-8; save the file as UTF-8 (iconv -f latin1 -t utf-8)")


def _opened(blob: Blob) -> BinaryIO:
    """A manifest's bytes, behind its byte order mark."""
    file = blob.open()
    if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        file.seek(0)
    return file


def _lines(blob: Blob, end: str) -> Iterator[str]:
    """The lines of a text with their ends, read as they are asked for.

    Args:
        blob: UTF-8.
        end: of a line; "" for any.
    """
    with io.TextIOWrapper(_opened(blob), "utf-8", newline=end) as file:
        yield from file


def _lines_before(data: bytes) -> int:
    return data.count(b"\n") + 1


def _rows_before(delimiter: str) -> Callable[[bytes], int]:
    def count(data: bytes) -> int:
        csv.field_size_limit(_WHOLE_FIELD)
        lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
        return sum(1 for row in csv.reader(lines, delimiter=delimiter) if row) - 1

    return count


def _read_csv(name: str, blob: Blob) -> Table:
    _check(name, blob, _rows_before(","))
    return _read_separated(name, blob, _delimiter(blob))


def _delimiter(blob: Blob) -> str:
    """A comma; where the header has none, the semicolon or tab of other spreadsheets."""
    header = next(_lines(blob, "\n"), "")
    return next((mark for mark in ",;\t" if mark in header), ",")


def _read_separated(name: str, blob: Blob, delimiter: str, *, quoted: bool = True) -> Table:
    """CSV and TSV; quotes may mean themselves."""
    csv.field_size_limit(_WHOLE_FIELD)
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(_lines(blob, ""), strict=True, delimiter=delimiter, quoting=quoting)
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


def _read_tsv(name: str, blob: Blob) -> Table:
    """TSV comes with quotes as in CSV, or with quotes that mean themselves; the first that fits is taken."""
    _check(name, blob, _rows_before("\t"))

    def read(quoted: bool) -> Table:
        return _read_separated(name, blob, "\t", quoted=quoted)

    def broken(quoted: bool) -> int:
        return sum(isinstance(row, Trouble) for row in read(quoted).rows)

    broken_quoted = broken(True) if any('"' in line for line in _lines(blob, "\n")) else 0
    if not broken_quoted or broken(False) >= broken_quoted:
        return read(True)
    literal = read(False)
    literal.notes.append(f"{name}: quotes are read as part of the text, for they do not come in pairs")
    return literal


def _read_jsonl(name: str, blob: Blob) -> Table:
    """JSON lines; a number keeps the digits it was written with. Gone through twice: any line may have a new key."""
    _check(name, blob, _lines_before)
    objects = (one for one in _objects(name, blob) if not isinstance(one, Trouble))
    columns = list(dict.fromkeys(key for _, row in objects for key in row))
    if not columns:
        first = next((f"; {one}" for one in _objects(name, blob) if isinstance(one, Trouble)), "")
        raise UsageError(f"{name} holds no JSON objects, one a line{first}")
    rows = (
        one if isinstance(one, Trouble) else (one[0], [as_written(one[1].get(column)) for column in columns])
        for one in _objects(name, blob)
    )
    return Table(columns, rows)


def _objects(name: str, blob: Blob) -> Iterator[tuple[int, dict[str, Any]] | Trouble]:
    for number, line in enumerate(_lines(blob, "\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_int=str, parse_float=str)
        except ValueError as error:
            yield Trouble(f"{name}:{number}", f"is not JSON ({error})")
            continue
        if not isinstance(row, dict):
            yield Trouble(f"{name}:{number}", "is not a JSON object")
        elif "\\u" in line and not _is_unicode(row):
            yield Trouble(f"{name}:{number}", "has one half of a surrogate pair, which is no character")
        else:
            yield number, row


def _is_unicode(row: dict[str, Any]) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


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


def _read_parquet(name: str, blob: Blob) -> Table:
    """Parquet, some rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(blob.open())
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(name, error) from error
    columns = file.schema_arrow.names

    def rows() -> Iterator[Row]:
        try:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                written = [map(as_written, column.to_pylist()) for column in batch.columns]
                yield from zip(*written, strict=True)
        except (pa.ArrowException, OSError) as error:
            raise _no_parquet(name, error) from error

    return Table(list(columns), enumerate(rows(), start=1))


def _no_parquet(name: str, error: Exception) -> UsageError:
    return UsageError(f"{name} is no readable Parquet file: {str(error).splitlines()[0]}")


def _read_fasttext(name: str, blob: Blob) -> Table:
    """fastText's training format: `__label__x words`; what follows the one space or tab is the text."""
    _check(name, blob, _lines_before)
    if not any(not isinstance(row, Trouble) and row[1][0] is not None for row in _fasttext_rows(name, blob)):
        raise UsageError(f"{name} is no manifest: no line starts with {FASTTEXT}")
    return Table(["label", "text"], _fasttext_rows(name, blob))


def _fasttext_rows(name: str, blob: Blob) -> Iterator[tuple[int, Row] | Trouble]:
    for number, ended in enumerate(_lines(blob, "\n"), start=1):
        line = ended.removesuffix("\n").removesuffix("\r")
        labelled = _FASTTEXT_LINE.fullmatch(line)
        if labelled is None:
            if line.strip():
                yield number, (None, line)
        elif labelled[2].startswith(FASTTEXT):
            yield Trouble(f"{name}:{number}", "has more than one label; exactly one is needed")
        else:
            yield number, labelled.groups()
