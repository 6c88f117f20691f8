"""What every network for texts promises: shapes, exact masks, gradients, both precisions, the same answers as ONNX."""

from inspect import signature

import numpy as np
import onnxruntime
import pytest
import torch
from block_checks import assert_learns
from torch import Tensor, nn

from multicnn.architectures import TABLE, build_text, text_class
from multicnn.errors import UsageError
from multicnn.text.architectures.text_backbone import TextBackbone

VOCABULARY = 50
LENGTH = 130  # of the network that fixes it
SMALL: dict[str, dict[str, object]] = {
    "textcnn": {"embedding": 16, "filters": 8},
    "textcnn_nb": {"embedding": 16, "filters": 8, "buckets": 64},
    "dcnn": {"embedding": 16},
    "charcnn": {},
    "vdcnn": {"hidden": 32, "shortcuts": True},
    "textcnn_lstm": {"embedding": 16, "filters": 8, "hidden": 6},
    "textcnn_gru": {"embedding": 16, "filters": 8, "hidden": 6},
}
ANY_LENGTH = [name for name in SMALL if not text_class(name).fixed_length]


def small(name: str, vectors: str = "rand", **options: object) -> TextBackbone:
    """A small network whose biases and running figures are not those of the start, which zeros would hide."""
    torch.manual_seed(0)
    network = build_text(
        name, classes=3, vocabulary_size=VOCABULARY, vectors=vectors, length=LENGTH, options={**SMALL[name], **options}
    )
    assert isinstance(network, TextBackbone)
    with torch.no_grad():
        for key, tensor in network.state_dict().items():
            if key.endswith(("bias", "running_mean")):
                tensor.uniform_(-0.5, 0.5)
            if key == "bag.weights":
                tensor[1:].uniform_(-0.5, 0.5)
    return network.eval()


def texts(*lengths: int, width: int | None = None) -> Tensor:
    ids = torch.zeros(len(lengths), width or max(lengths), dtype=torch.int32)
    for row, length in enumerate(lengths):
        generator = torch.Generator().manual_seed(row)
        ids[row, :length] = torch.randint(1, VOCABULARY, (length,), generator=generator)
    return ids


def example(name: str, *lengths: int) -> Tensor:
    return texts(*lengths, width=LENGTH if text_class(name).fixed_length else None)


def test_every_text_architecture_is_here() -> None:
    assert set(SMALL) == set(TABLE["text"])


@pytest.mark.parametrize("name", ANY_LENGTH)
def test_a_text_does_not_depend_on_its_batch(name: str) -> None:
    network, lengths = small(name), (1, 2, 5, 9, 30, 70)
    together = network(texts(*lengths, width=83))
    for row, length in enumerate(lengths):
        alone = network(texts(*lengths)[row : row + 1, :length])
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-5)
    assert len({tuple(row.round(decimals=4).tolist()) for row in together}) == len(lengths)


@pytest.mark.parametrize("name", SMALL)
def test_the_gradient_reaches_every_parameter_but_no_padding(name: str) -> None:
    network = small(name).train()
    logits = network(example(name, 90, 110, 7, 130))
    assert logits.shape == (4, 3)
    assert_learns(network, logits)
    for key, parameter in network.named_parameters():
        if key == "features.embedding.weight":
            assert parameter.grad is not None
            assert not parameter.grad[0].any()


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", SMALL)
def test_learns_a_few_texts_by_heart_in_either_precision(name: str, precision: torch.dtype) -> None:
    rest = {key: 0.0 for key in ("dropout", "embedding_dropout") if key in signature(text_class(name)).parameters}
    network, ids, truth = small(name, **rest).train(), example(name, 24, 16, 9, 25, 33, 28), torch.tensor([0, 1, 2] * 2)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3 if name == "charcnn" else 1e-2)
    losses = []
    for _ in range(25):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            logits = network(ids)
        loss = nn.functional.cross_entropy(logits.float(), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in SMALL),
        ("dcnn", {"vectors": "multichannel", "embedding": 10}),
        ("vdcnn", {"downsampling": "convolution", "depth": 17}),
        ("textcnn_lstm", {"vectors": "static", "windows": (2, 3)}),
        ("textcnn", {"vectors": "multichannel", "pooling": "regions3"}),
        ("textcnn", {"pooling": "average"}),
        ("textcnn", {"pooling": "attention"}),
    ],
)
def test_onnx_runtime_agrees_for_any_batch_and_length(name: str, options: dict[str, object]) -> None:
    network = small(name, **options)  # type: ignore[arg-type]
    axes = {0: torch.export.Dim("batch")}
    if name in ANY_LENGTH:
        axes[1] = torch.export.Dim("tokens", min=2)
    program = torch.onnx.export(
        network, (example(name, 12, 9),), dynamo=True, opset_version=18, dynamic_shapes=(axes,), verbose=False
    )
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for lengths in ((5,), (1, 6), (40, 3, 1, 17), (91, 130)):
        ids = example(name, *lengths)
        (theirs,) = session.run(None, {session.get_inputs()[0].name: ids.numpy()})
        ours = network(ids).detach().numpy()
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-4 * np.abs(ours).max())


@pytest.mark.parametrize("name", SMALL)
def test_reset_head_changes_the_number_of_classes_and_nothing_else(name: str) -> None:
    network, ids = small(name), example(name, 20, 6)
    before = network.features(ids)
    network.reset_head(7)
    assert network(ids).shape == (2, 7)
    assert torch.equal(network.features(ids), before)


@pytest.mark.parametrize("name", SMALL)
def test_saved_weights_give_the_same_answers(name: str) -> None:
    network, ids = small(name), example(name, 20, 6)
    again = build_text(name, classes=3, vocabulary_size=VOCABULARY, length=LENGTH, options=SMALL[name]).eval()
    assert not torch.equal(again(ids), network(ids))
    again.load_state_dict(network.state_dict())
    assert torch.equal(again(ids), network(ids))


@pytest.mark.parametrize("name", [name for name in SMALL if text_class(name).word_vectors])
def test_kept_vectors_are_no_parameters_and_stay(name: str) -> None:
    network, ids = small(name, vectors="multichannel").train(), texts(9, 20)
    kept, learned = (
        tensor.clone() for tensor in (network.features.embedding.static, network.features.embedding.weight)
    )
    assert "features.embedding.static" in network.state_dict()
    assert "features.embedding.static" not in dict(network.named_parameters())
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        network(ids).square().sum().backward()
        optimiser.step()
    assert torch.equal(network.features.embedding.static, kept)
    assert not torch.equal(network.features.embedding.weight, learned)
    assert not network.features.embedding.weight[0].any()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("dcnn", {"embedding": 0}, "vectors of 0 numbers"),
        ("dcnn", {"maps": (6,)}, "1 maps and 2 widths"),
        ("charcnn", {"size": "larg"}, "did you mean large?"),
        ("vdcnn", {"depth": 10}, "9, 17, 29, 49, not 10"),
        ("vdcnn", {"downsampling": "maxx"}, "did you mean max?"),
        ("textcnn_gru", {"windows": ()}, "windows"),
        ("textcnn_lstm", {"pooling": 0}, "pooling window"),
    ],
)
def test_refuses_wrong_options_in_one_line(name: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_text(name, classes=2, vocabulary_size=10, options=options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
