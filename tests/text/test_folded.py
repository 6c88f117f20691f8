"""The folded TextCNN: the same answers as the plain one, from tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from multicnn.blocks.classifier import Classifier
from multicnn.bundle.export import export_onnx
from multicnn.text.architectures import textcnn
from multicnn.text.architectures.embedding import MODES
from multicnn.text.architectures.folded import LARGEST, FoldedTextCNN, table_bytes, whole_numbers
from multicnn.text.architectures.textcnn import TextCNN
from multicnn.text.read import TextReader


def network(vectors: str = "rand", **options: Any) -> TextCNN:
    """With biases that would win every pooling if a window of padding counted."""
    torch.manual_seed(0)
    built = TextCNN(3, 50, vectors, embedding=16, filters=8, **options).eval()
    with torch.no_grad():
        for convolution in built.features.convolutions:
            convolution.bias.uniform_(0, 2)
    return built


def fold(plain: TextCNN) -> FoldedTextCNN:
    return FoldedTextCNN(plain.features.embedding, plain.features.convolutions, plain.head)


def size_of(plain: TextCNN) -> int:
    return table_bytes(plain.features.embedding, plain.features.convolutions)


def texts(*lengths: int) -> Tensor:
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.int32)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(1, 50, (length,), generator=torch.Generator().manual_seed(row))
    return ids


@pytest.mark.parametrize("vectors", MODES)
@pytest.mark.parametrize("windows", [(3, 4, 5), (5, 1, 3), (2,), (4, 4, 2)])
def test_agrees_with_the_plain_network(vectors: str, windows: tuple[int, ...]) -> None:
    plain, ids = network(vectors, windows=windows), texts(1, 2, 4, 30, 7)
    torch.testing.assert_close(fold(plain)(ids), plain(ids), rtol=0, atol=1e-3)


def test_a_text_without_a_word_answers_as_the_plain_network_does() -> None:
    plain, ids = network(), torch.zeros(1, 6, dtype=torch.int32)
    torch.testing.assert_close(fold(plain)(ids), plain(ids), rtol=0, atol=1e-6)


def test_the_table_is_as_large_as_is_said() -> None:
    plain = network(windows=(2, 4))
    table = fold(plain).table
    assert (tuple(table.shape), table.dtype) == ((200, 16), torch.int16)
    assert table.nbytes == size_of(plain)


@given(st.integers(0, 1000), st.integers(1, 6), st.floats(-6, 6))
def test_whole_numbers_are_near_and_no_sum_is_too_large(seed: int, places: int, size: float) -> None:
    table = torch.randn(9, places, 3, generator=torch.Generator().manual_seed(seed)) * 10**size
    table[0, :-1] = 0
    whole, scale = whole_numbers(table)
    assert whole.dtype == torch.int16
    assert ((whole.double() * scale - table)[1:].abs() <= 0.501 * scale).all()
    numbers = whole.int()
    assert numbers[1:].abs().amax(0).sum(0).max() <= LARGEST
    assert (numbers[0, -1] + numbers[:, :-1].amin(0).sum(0)).min() >= -LARGEST - 1
    assert (numbers[0, -1] + numbers[:, :-1].amax(0).sum(0)).max() <= 0


def test_a_network_of_zeros_can_be_folded() -> None:
    plain = network()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.zero_()
    assert torch.equal(fold(plain)(texts(3, 9)), torch.zeros(2, 3))


def test_what_is_not_a_number_stays_none() -> None:
    plain = network()
    with torch.no_grad():
        plain.features.convolutions[1].bias[3] = torch.nan
    assert fold(plain)(texts(3, 9)).isnan().all()


def test_the_network_that_was_folded_stays_as_it_was() -> None:
    plain, ids = network("multichannel"), texts(9, 4)
    before, names = plain(ids), set(plain.state_dict())
    assert plain.folded() is not None
    assert torch.equal(plain(ids), before) and set(plain.state_dict()) == names


def test_size_decides_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = network()
    monkeypatch.setattr(textcnn, "MOST_BYTES", size_of(plain))
    folded = plain.folded()
    assert folded and folded[1] == "folded"
    monkeypatch.setattr(textcnn, "MOST_BYTES", size_of(plain) - 1)
    assert plain.folded() is None and plain.folded(always=True) is not None


@pytest.mark.parametrize("pooling", ["kmax2", "average", "attention", "regions2"])
def test_other_poolings_are_not_folded(pooling: str) -> None:
    plain = network(pooling=pooling)
    assert not plain.foldable and plain.folded(always=True) is None


@pytest.mark.parametrize(("fold", "graph"), [("auto", "folded"), ("off", "plain")])
def test_the_exported_graph_agrees_for_any_batch_and_length(fold: str, graph: str, tmp_path: Path) -> None:
    plain = network("static")
    reader = TextReader("whitespace", [str(number) for number in range(48)], 40, 5)
    path = tmp_path / "model.onnx"
    assert (
        export_onnx(Classifier(torch.nn.Identity(), plain), reader, np.arange(9, dtype=np.int32), path, fold) == graph
    )
    session = onnxruntime.InferenceSession(path)
    for ids in (texts(5), texts(1, 6), texts(40, 3, 1, 17)):
        (theirs,) = session.run(None, {"input": ids.numpy()})
        np.testing.assert_allclose(theirs, plain(ids).softmax(1).detach().numpy(), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_run_ships_the_folded_graph_and_the_plain_weights(cli: Any, texts: Path, tmp_path: Path) -> None:
    done = cli("train", "text", texts, "-o", tmp_path / "run", "--epochs", 2, "-s", "model.options.filters=8", "-q")
    assert done.returncode == 0, done.stderr
    model = tmp_path / "run" / "model"
    assert json.loads((model / "bundle.json").read_text())["graph"] == "folded"
    measured = json.loads((tmp_path / "run" / "metrics.json").read_text())
    again = cli("evaluate", tmp_path / "run", texts, "--json")
    assert json.loads(again.stdout)["accuracy"] == measured["test"]["accuracy"]
    warm = cli("train", "text", texts, "-o", tmp_path / "next", "--epochs", 1, "-s", "model.options.filters=8",
               "--weights", tmp_path / "run", "-q")  # fmt: skip
    assert warm.returncode == 0, warm.stderr


def test_folding_what_cannot_be_folded_is_refused(cli: Any, tmp_path: Path) -> None:
    manifest = tmp_path / "texts.csv"
    manifest.write_text("text,label\n" + "\n".join(f"word{i} is here,{'ab'[i % 2]}" for i in range(40)))
    done = cli("train", "text", manifest, "--dry-run", "-s", "model.fold=on", "-s", "model.options.pooling=average")
    assert done.returncode == 2
    assert "textcnn_nb with these options cannot be folded; leave out model.fold" in done.stderr
