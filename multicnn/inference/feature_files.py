"""Features as a .npy array or a .parquet table, batch by batch."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from multicnn.errors import UsageError
from multicnn.inference.output import output_file
from multicnn.inference.stream import Answers

ROW_GROUP = 1 << 22  # numbers of a .parquet file that are written at a time


class FeatureFile(Protocol):
    """Something that takes features."""

    def write(self, batch: Answers) -> None:
        """Appends a row for each input; those with an error are missing."""
        ...

    def close(self) -> None:
        """Writes what is still to be written."""
        ...


@contextmanager
def feature_file(path: Path, shape: Sequence[int]) -> Iterator[FeatureFile]:
    """A file that appears under its name only when all features are in it.

    Args:
        path: ends in .npy or .parquet.
        shape: of one input's features.

    Raises:
        UsageError: it is a folder, a device or a pipe, or has another ending.
    """
    if path.suffix.lower() not in KINDS:
        raise UsageError(f"--output {path} ends in neither .npy nor .parquet")
    if path.exists() and not path.is_file():
        raise UsageError(f"--output {path} is no file")
    with output_file(path) as stream:
        file = KINDS[path.suffix.lower()](stream, tuple(shape))
        yield file
        file.close()


class Npy:
    """One array, float32 [inputs, ...], in the order of the inputs; the rows of those with an error are NaN.

    Args:
        stream: where to write, seekable: the number of rows in the header is known at the end.
        shape: of a row.
    """

    def __init__(self, stream: BinaryIO, shape: tuple[int, ...]) -> None:
        self._stream, self._shape, self._rows = stream, shape, 0
        self._header()

    def write(self, batch: Answers) -> None:
        """Appends the rows of a batch."""
        rows = batch.probabilities.copy()
        rows[list(batch.errors)] = np.nan
        self._stream.write(rows.astype("<f4").tobytes())
        self._rows += len(rows)

    def close(self) -> None:
        """Writes how many rows there are."""
        self._stream.seek(0)
        self._header()

    def _header(self) -> None:
        """As long for any number of rows: NumPy leaves room for the first axis to grow."""
        header = {"descr": "<f4", "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(self._stream, header)


class Parquet:
    """A table with a row for each input: `input`, `features` (a list of numbers, or null), `error` (or null).

    The shape of an input's features is in the schema's metadata as `shape`, in JSON.

    Args:
        stream: where to write.
        shape: of one input's features.
    """

    def __init__(self, stream: BinaryIO, shape: tuple[int, ...]) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        fields = {"input": pa.string(), "features": pa.list_(pa.float32()), "error": pa.string()}
        self._schema = pa.schema(list(fields.items()), {"shape": json.dumps(shape)})
        self._writer = pyarrow.parquet.ParquetWriter(stream, self._schema)
        self._rows_at_once = max(1, ROW_GROUP // math.prod(shape))
        self._waiting: list[Any] = []

    def write(self, batch: Answers) -> None:
        """Appends the rows of a batch."""
        import pyarrow as pa

        names = [name.encode("utf-8", "backslashreplace").decode() for name in batch.names]
        wrong = [batch.errors.get(place) for place in range(len(names))]
        rows = [None if error else row for row, error in zip(batch.probabilities, wrong, strict=True)]
        self._waiting.append(pa.table([names, pa.array(rows, pa.list_(pa.float32())), wrong], schema=self._schema))
        if sum(len(table) for table in self._waiting) >= self._rows_at_once:
            self._flush()

    def close(self) -> None:
        """Writes what is waiting, and the end."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
        self._waiting = []


KINDS: dict[str, Callable[[BinaryIO, tuple[int, ...]], FeatureFile]] = {".npy": Npy, ".parquet": Parquet}
