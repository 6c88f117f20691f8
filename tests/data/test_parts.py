"""Dividing a data set: what stops it is told with what was left out before."""

from pathlib import Path

import pytest

from multicnn.data.parts import divide
from multicnn.errors import UsageError
from multicnn.recipe import Data


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,x\nb,y\n", r"too few examples \(2\) .* --val PATH \(1 left out; the first: m.csv:3: the label is empty\)"),
        ("a,x\nb,x\n", r"at least two classes, here is x \(1 left out; the first: m.csv:3: the label is empty\)"),
    ],
)
def test_too_little_that_can_be_used(rows: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"text,label\n{rows}c,\n")
    with pytest.raises(UsageError, match=message):
        divide(Data(path=str(path)), "text", 0)
