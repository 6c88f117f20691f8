"""multicnn data get, with a server on this machine in the place of the real ones."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from data.known.copies import make_copy
from data.serving import Behaviour, serving

from multicnn.data.known.table import KNOWN
from tests.conftest import Cli


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Behaviour]:
    """It has FSDD, MR and what is no SST-2."""
    copies = {name: make_copy(name, tmp_path / "published") for name in ("fsdd", "mr")}
    contents = {f"{name}/{copy.name}": copy.read_bytes() for name, copy in copies.items()}
    with serving(Behaviour(contents | {"sst2/trainDevTestTrees_PTB.zip": b"sorry"})) as behaviour:
        yield behaviour


def get(server: Behaviour, folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MULTICNN_OFFLINE": "0", "MULTICNN_DATA_URL": server.address}
    command = [sys.executable, "-m", "multicnn", "data", "get", *map(str, args)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_data_set_is_downloaded_and_laid_out(server: Behaviour, tmp_path: Path, cli: Cli) -> None:
    server.breaks = [200]
    done = get(server, tmp_path, "mr")
    assert (done.returncode, done.stdout) == (3, "mr/mr.csv\n")  # it has 3 of 10,662 sentences
    assert "3 examples instead of 10,662" in done.stderr
    assert "train with: multicnn train text mr/mr.csv --folds 10" in done.stderr
    assert [wanted for _, wanted in server.asked] == [None, "bytes=200-"]
    assert [path.name for path in (tmp_path / "mr").iterdir()] == ["mr.csv"]
    checked = cli("data", "check", "mr/mr.csv", "--json", cwd=tmp_path)
    assert "3 examples in 2 classes" in checked.stdout


def test_sounds_stay_beside_the_manifest(server: Behaviour, tmp_path: Path) -> None:
    done = get(server, tmp_path, "fsdd", "-o", "digits")
    assert done.stdout == "digits/fsdd.csv\n"
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == ["fsdd.csv", "recordings"]
    assert len(list((tmp_path / "digits/recordings").iterdir())) == 12


def test_a_wrong_file_is_refused_and_not_kept(server: Behaviour, tmp_path: Path) -> None:
    done = get(server, tmp_path, "sst2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 2  # what it fetches, and what is wrong
    assert "came with the sha256" in done.stderr
    assert "fetch https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip elsewhere" in done.stderr
    assert list((tmp_path / "sst2").iterdir()) == []


def test_what_the_server_lacks_is_an_error(server: Behaviour, tmp_path: Path) -> None:
    done = get(server, tmp_path, "subj")
    assert done.returncode == 1
    assert "cannot be fetched: Not Found; fetch https://www.cs.cornell.edu/" in done.stderr


def test_without_a_network_it_tells_what_to_do(cli: Cli, tmp_path: Path) -> None:
    done = cli("data", "get", "trec", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for part in (
        "MULTICNN_OFFLINE",
        "QC/train_5500.label and https",
        "QC/TREC_10.label elsewhere and put it into trec",
    ):
        assert part in done.stderr


def test_copies_need_no_network(cli: Cli, tmp_path: Path) -> None:
    done = cli("data", "get", "cifar10", "--from", make_copy("cifar10", tmp_path / "copy"), "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (3, f"{tmp_path}/out/cifar10.tar\n")
    again = cli("data", "get", "cifar10", "-o", tmp_path / "out")
    assert (again.returncode, again.stdout) == (0, f"{tmp_path}/out/cifar10.tar\n")
    assert "is there already" in again.stderr


def test_lists_what_it_knows(cli: Cli) -> None:
    listed = cli("data", "get", "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(KNOWN)
    assert max(map(len, listed)) <= 120


def test_mistakes_are_told(cli: Cli, tmp_path: Path) -> None:
    assert "--list names them all" in cli("data", "get").stderr
    unknown = cli("data", "get", "esc-50")
    assert unknown.returncode == 2
    assert "did you mean esc50?" in unknown.stderr
    nowhere = cli("data", "get", "mr", "--from", tmp_path / "nowhere", "-o", tmp_path / "out")
    assert nowhere.returncode == 2
    assert "there is no such file or folder" in nowhere.stderr
