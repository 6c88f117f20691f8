"""In which form `multicnn arch show` answers, and where to."""

import sys
from pathlib import Path
from typing import Literal

from multicnn.data.files import write_atomically
from multicnn.errors import UsageError

Format = Literal["table", "json", "svg", "png", "dot"]
SUITED: dict[str, Format] = {".json": "json", ".svg": "svg", ".png": "png", ".dot": "dot", ".gv": "dot"}


def choose_format(asked: Format | None, as_json: bool, output: Path | None) -> Format:
    """What was asked for, else what the file's name says, else a table.

    Raises:
        UsageError: --json beside another format, a table or an unknown kind of file, a picture for a terminal.
    """
    if as_json and asked not in (None, "json"):
        raise UsageError(f"--json contradicts --format {asked}; leave one of them out")
    suited = None if output is None else SUITED.get(output.suffix.lower())
    chosen = "json" if as_json else asked or suited or "table"
    if output is not None and chosen == "table":
        raise UsageError(f"{output} is no .svg, .png, .dot or .json file; name one, or add --format")
    if chosen == "png" and output is None and sys.stdout.isatty():
        raise UsageError("a PNG picture is not for a terminal; name a file with -o net.png")
    return chosen


def write(content: bytes, output: Path | None) -> None:
    """Writes to a file, or to standard output."""
    if output is not None:
        write_atomically(output, content)
        return
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
