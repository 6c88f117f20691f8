"""What came of the contract's tests, as a table that the catalogue's page shows."""

import csv
import re
from pathlib import Path

import pytest
import torch

COLUMNS = ("pipeline", "architecture", "outcome", "torch")
ITEM = re.compile(r"test_contract\.py::.*\[(image|audio|text)-([^\]]+)\]")


class ContractTable:
    """Collects the outcome of each architecture's tests; rows of architectures that did not run stay as they were.

    Args:
        path: the table, a .csv file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """An architecture has passed if none of its tests has failed, in setting up, running or cleaning up."""
        found = ITEM.search(report.nodeid)
        if found and not report.skipped:
            key = (found[1], found[2])
            failed = report.failed or self.outcomes.get(key) == "failed"
            self.outcomes[key] = "failed" if failed else "passed"

    def pytest_sessionfinish(self) -> None:
        """Writes the table, sorted."""
        if not self.outcomes:
            return
        rows: dict[tuple[str, str], tuple[str, ...]] = {}
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = {(row[0], row[1]): tuple(row) for row in list(csv.reader(file))[1:]}
        version = torch.__version__.partition("+")[0]
        rows |= {key: (*key, outcome, version) for key, outcome in self.outcomes.items()}
        with self.path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *(rows[key] for key in sorted(rows))])
