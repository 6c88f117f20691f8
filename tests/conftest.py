"""Small real data, made on the spot, and the command line as a user runs it."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from contract_table import ContractTable
from PIL import Image

COLOURS = {"blue": (30, 30, 220), "green": (30, 200, 30), "red": (220, 30, 30)}
PITCHES = {"high": 1500.0, "low": 300.0}
WORDS = {"food": "bread apple soup cheese eat dinner", "sea": "wave ship harbour sailor tide boat"}


def restore_interrupt() -> None:
    """For `preexec_fn`: what a shell starts in the background ignores Ctrl-C, and hands that on to its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests leave nothing in the user's folder for caches, and remove nothing there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTICNN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MULTICNN_CACHE_LIMIT", "0")
        yield


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Runs `multicnn` as a process of its own."""

    def run(*args: object, stdin: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "multicnn", *map(str, args)]
        environment = {**os.environ, "MULTICNN_OFFLINE": "1"}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, cwd=cwd, env=environment, check=False
        )

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--contract-table", help="a .csv file for what came of test_contract.py, a row per architecture")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--contract-table")
    if path and not hasattr(config, "workerinput"):  # the workers' reports come to the process that started them
        config.pluginmanager.register(ContractTable(Path(path)))


def draw_pictures(folder: Path, train: int, test: int) -> Path:
    """train/ and test/ with a folder for each of three colours; 24 x 24 pixels and noise."""
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("test", test)):
        for name, colour in COLOURS.items():
            (folder / part / name).mkdir(parents=True)
            for index in range(count):
                pixels = np.clip(np.array(colour) + rng.normal(0, 40, (24, 24, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{index:02}.png")
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many as a small network needs to learn its colours."""
    return draw_pictures(tmp_path_factory.mktemp("data") / "pictures", 24, 6)


@pytest.fixture(scope="session")
def few_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many as show that a large network learns at all."""
    return draw_pictures(tmp_path_factory.mktemp("data") / "few", 12, 3)


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of high and low tones of 0.4 s at 8 kHz, with a split column."""
    folder = tmp_path_factory.mktemp("data") / "sounds"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for name, pitch in PITCHES.items():
        for index in range(30):
            time = np.arange(3200) / 8000
            wave = 0.3 * np.sin(2 * np.pi * pitch * rng.uniform(0.8, 1.25) * time) + rng.normal(0, 0.02, 3200)
            soundfile.write(folder / f"{name}{index}.wav", wave, 8000)
            rows.append((f"{name}{index}.wav", name, "test" if index < 5 else "train"))
    with (folder / "sounds.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    return folder / "sounds.csv"


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of short texts about food and the sea, with a split column."""
    folder = tmp_path_factory.mktemp("data") / "texts"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for name, words in WORDS.items():
        for index in range(60):
            text = " ".join([*rng.choice(words.split(), 3), *rng.choice(["the", "a", "and", "of", "my"], 3)])
            rows.append((text, name, "test" if index < 12 else "train"))
    with (folder / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "split"), *rows])
    return folder / "texts.csv"
