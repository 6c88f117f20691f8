"""Texts block by block: as one by one, whatever is wrong with some of them."""

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folded_models import folded_model
from threadpoolctl import threadpool_info

from multicnn.bundle.read import open_bundle
from multicnn.data.blob import Blob
from multicnn.data.example import Example, Trouble
from multicnn.data.processes import CAN_COPY
from multicnn.inference import bulk
from multicnn.inference.lines import Block, Chunk
from multicnn.inference.lookups import LookUps, open_lookups
from multicnn.inference.output import JsonLines, Separated
from multicnn.inference.stream import NOT_FINITE

ENOUGH = bulk.MANY // bulk.LARGE  # large blocks in a row


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folded_model(tmp_path_factory.mktemp("folded") / "model", ngrams=2, buckets=512)[1]


@pytest.fixture(scope="module")
def tables(run: Path) -> LookUps:
    opened = open_lookups(open_bundle(run))
    assert opened is not None
    return opened


def lines(count: int) -> list[str]:
    """Sentences of the model's words and others; some are empty."""
    chance = np.random.default_rng(0)
    return [
        " ".join(f"w{number}" for number in chance.integers(0, 70, chance.integers(0, 12))) or "\t" * (place % 2)
        for place in range(count)
    ]


def told(tables: LookUps, *chunks: Chunk, processes: int = 1) -> list[Any]:
    stream = io.BytesIO()
    total = 0
    for some in bulk.told(tables, chunks, JsonLines(stream), processes=processes):
        stream.write(some.content)
        total += some.total
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert total == len(found)
    return found


def test_a_block_of_lines_is_answered_as_each_line_by_itself(tables: LookUps) -> None:
    texts = lines(300)
    together = told(tables, Block("\n".join(texts).encode(), b"\n"))
    alone = [told(tables, Block(text.encode(), b"\n"))[0] for text in texts]
    assert [one["input"] for one in together] == texts
    for one, other in zip(together, alone, strict=True):
        assert one.get("error") == other.get("error") and one.get("label") == other.get("label")
        assert one.get("score", 0) == pytest.approx(other.get("score", 0), abs=2e-6)


def test_what_is_wrong_with_a_line_stays_with_it(tables: LookUps) -> None:
    found = told(tables, Block(b"w1 w2\n\nw3 \xff\n \nw1\0w2\n\0\x01", b"\n"))
    assert [one["input"] for one in found] == ["w1 w2", "", "w3 \udcff", " ", "w1\0w2", "\0\x01"]
    assert [one.get("error", "")[:30] for one in found] == [
        "",
        "the text is empty",
        "the text is not UTF-8; convert",
        "the text is empty",
        "",
        "the text has nothing that the ",
    ]


@pytest.mark.parametrize("bias", [np.nan, np.inf])
def test_what_is_not_a_number_is_an_error_and_never_a_label(bias: float, tmp_path: Path) -> None:
    _, broken = folded_model(tmp_path / "model", bias)
    done = predict(broken, "-", stdin=b"w1 w2\n\nw3\n")
    assert done.returncode == 3
    assert [json.loads(line)["error"] for line in done.stdout.splitlines()] == [
        NOT_FINITE,
        "the text is empty",
        NOT_FINITE,
    ]
    assert done.stderr.count(b"\n") == 1


def test_files_and_texts_have_their_places_too(tables: LookUps, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfw1\nw2")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    items = [Example(name, Blob(tmp_path / name)) for name in ("a.txt", "b.txt", "c.txt")]
    chunk: Chunk = [*items, Trouble("d", "no such thing"), Example("e:1", "w1 w2")] * 100
    found = told(tables, chunk)
    assert [one["input"] for one in found] == ["a.txt", "b.txt", "c.txt", "d", "e:1"] * 100
    assert ["error" in one for one in found[:5]] == [False, True, True, True, False]
    assert found[0]["score"] == found[4]["score"]


def test_long_texts_are_cut_as_the_reader_says(tables: LookUps) -> None:
    longest = tables.reader.max_length
    found = told(tables, Block(("w1 " * longest + "\nw2\n" + "w1 " * longest + "w5 w6").encode(), b"\n"))
    assert found[0]["scores"] == found[2]["scores"] != found[1]["scores"]


@pytest.mark.skipif(not CAN_COPY, reason="processes are copied on Linux only")
def test_processes_give_the_same_in_the_same_order(tables: LookUps) -> None:
    block = Block("\n".join(lines(1200) * 2).encode(), b"\n")
    small = Block(b"w1 \xff\nw2", b"\n")
    assert len(block.content) > bulk.LARGE
    chunks: list[Chunk] = [block, small, *[block] * ENOUGH, block, small, [Trouble("x", "y")], small]
    assert told(tables, *chunks, processes=2) == told(tables, *chunks)


@pytest.mark.skipif(not CAN_COPY, reason="processes are copied on Linux only")
def test_an_answer_does_not_wait_for_what_comes_later(tables: LookUps) -> None:
    more = threading.Event()
    block = Block("\n".join(lines(1200) * 2).encode(), b"\n")

    def chunks() -> Iterator[Chunk]:
        yield from [block] * (ENOUGH + 3)
        yield Block(b"w1", b"\n")
        assert more.wait(20)
        yield Block(b"w2", b"\n")

    assert len(block.content) > bulk.LARGE
    answers = bulk.told(tables, chunks(), JsonLines(io.BytesIO()), processes=2)
    for _ in range(ENOUGH + 3):
        next(answers)
    assert json.loads(next(answers).content)["input"] == "w1"
    more.set()
    assert [json.loads(one.content)["input"] for one in answers] == ["w2"]


def test_a_table_has_one_heading(tables: LookUps) -> None:
    stream = io.BytesIO()
    writer = Separated(stream, tables.labels, ",")
    writer.write([])
    block = Block("\n".join(["w1 w2"] * 6000).encode(), b"\n")
    for some in bulk.told(tables, [block] * (ENOUGH + 2), writer, processes=2):
        writer.send(some.content)
    rows = stream.getvalue().decode().splitlines()
    assert len(rows) == 1 + 6000 * (ENOUGH + 2)
    assert rows[0].startswith("input,label,score") and len(set(rows)) == 2


def predict(run: Path, *arguments: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "multicnn", "predict", str(run), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def test_many_lines_from_the_command_line(run: Path, tables: LookUps, tmp_path: Path) -> None:
    texts = lines(20_000)
    texts[7_000] = "w1 \udcff"
    (tmp_path / "lines.txt").write_bytes("\r\n".join(texts).encode("utf-8", "surrogateescape"))
    done = predict(run, "-", stdin=(tmp_path / "lines.txt").read_bytes())
    assert done.returncode == 3 and b"of 20,000 inputs" in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["input"] for one in found] == texts
    expected = told(tables, Block("\n".join(texts[:200]).encode(), b"\n"))
    assert [one.get("label") for one in found[:200]] == [one.get("label") for one in expected]
    output = tmp_path / "out.jsonl"
    assert predict(run, "--lines", str(tmp_path / "lines.txt"), "-o", str(output), "-q", stdin=b"").returncode == 3
    again = [json.loads(line) for line in output.read_bytes().splitlines()]
    assert [(one["input"], one.get("label")) for one in again] == [(one["input"], one.get("label")) for one in found]


def test_one_text_needs_no_onnx_runtime(run: Path) -> None:
    code = (
        "import sys; from multicnn.cli.main import app; "
        f"app(['predict', {str(run)!r}, '--text', 'w1'], standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["input"] == "w1"
    assert not {"onnxruntime", "onnx", "torch", "numba", "multiprocessing"} & set(done.stderr.split())


@pytest.mark.skipif(not CAN_COPY, reason="processes are copied on Linux only")
def test_a_reader_that_has_seen_enough_ends_it(run: Path) -> None:
    content = "\n".join(lines(2000) * 50).encode()
    command = f"{sys.executable} -m multicnn predict {run} - | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], input=content, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)


def test_the_matrix_library_keeps_to_one_thread_for_as_long_as_texts_are_answered(tables: LookUps) -> None:
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    answers = bulk.told(tables, [Block(b"w1 w2", b"\n")], JsonLines(io.BytesIO()))
    next(answers)
    assert set(threads()) == {1}
    answers.close()
    assert threads() == before
