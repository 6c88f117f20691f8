"""The table of what came of the contract, and its way into the catalogue's page."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from contract_table import ContractTable

from multicnn import catalogue_pages
from multicnn.catalogue_pages import architectures_page


def report(name: str, when: str, outcome: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=f"tests/test_contract.py::test_something[{name}]@{name}",
        location=("tests/test_contract.py", 1, "test_something"),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=None,
        when=when,  # type: ignore[arg-type]
    )


def write(path: Path, *told: tuple[str, str, str]) -> list[str]:
    table = ContractTable(path)
    for one in told:
        table.pytest_runtest_logreport(report(*one))
    table.pytest_sessionfinish()
    return path.read_text().splitlines()


def test_one_failure_fails_an_architecture_and_rows_that_did_not_run_stay(tmp_path: Path) -> None:
    path, version = tmp_path / "contract.csv", torch.__version__.partition("+")[0]
    path.write_text("pipeline,architecture,outcome,torch\nimage,lenet,failed,2.9.0\ntext,textcnn,passed,2.9.0\n")
    lines = write(
        path,
        ("image-lenet", "call", "passed"),
        ("image-resnet9", "call", "passed"),
        ("image-nin", "setup", "failed"),
        ("image-nin", "call", "passed"),
        ("image-vgg11", "setup", "skipped"),
    )
    assert lines == [
        "pipeline,architecture,outcome,torch",
        f"image,lenet,passed,{version}",
        f"image,nin,failed,{version}",
        f"image,resnet9,passed,{version}",
        "text,textcnn,passed,2.9.0",
    ]


@pytest.mark.slow
def test_the_option_writes_the_table(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    path = tmp_path / "contract.csv"
    command = [sys.executable, "-m", "pytest", "-q", "-k", "image-linear", "tests/test_contract.py"]
    command += ["--contract-table", str(path)]
    subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, check=True)
    assert path.read_text().splitlines()[1:] == [f"image,linear,passed,{torch.__version__.partition('+')[0]}"]


def test_the_page_tells_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_pages, "CONTRACT", tmp_path / "contract.csv")
    assert "| image ·, audio · |" in architectures_page()
    write(tmp_path / "contract.csv", ("image-lenet", "call", "passed"), ("audio-lenet", "call", "failed"))
    row = next(line for line in architectures_page().splitlines() if line.startswith("| `lenet`"))
    assert "| image ✔, audio ✘ |" in row
    assert f"torch {torch.__version__.partition('+')[0]}" in architectures_page()
