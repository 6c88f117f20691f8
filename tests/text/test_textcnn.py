"""TextCNN: Kim's numbers, masked padding, the same answers in ONNX Runtime; and word dropout."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from multicnn.text.architectures.textcnn import TextCNN
from multicnn.text.augment import TextAugmentation


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(pooling: str = "max", **options: object) -> TextCNN:
    torch.manual_seed(0)
    return TextCNN(3, 50, embedding=16, filters=8, pooling=pooling, **options).eval()  # type: ignore[arg-type]


def texts(*lengths: int) -> Tensor:
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.int32)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(1, 50, (length,), generator=seeded(row))
    return ids


@pytest.mark.parametrize(("vocabulary_size", "classes"), [(18_767, 2), (9594, 6)])
def test_has_the_parameters_of_kim_2014(vocabulary_size: int, classes: int) -> None:
    network = TextCNN(classes, vocabulary_size)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 300 * vocabulary_size + 360_300 + 301 * classes


def test_filters_start_near_zero_as_in_kims_code() -> None:
    network = small(filter_spread=0.01)
    for convolution in network.features.convolutions:
        assert 0.005 < convolution.weight.abs().max() <= 0.01
        assert not convolution.bias.any()
    assert not network.head[1].weight.any()
    assert not network.head[1].bias.any()
    assert network.features.embedding.weight.abs().max() > 0.2
    with pytest.raises(ValueError, match="0 or more"):
        small(filter_spread=-0.01)


def test_agrees_with_the_definition() -> None:
    network, ids = small(), texts(7)
    vectors = network.features.embedding.weight.detach().numpy()[ids[0].numpy()]
    padded = np.concatenate([np.zeros((4, 16), np.float32), vectors])
    pooled = []
    for window, convolution in zip((3, 4, 5), network.features.convolutions, strict=True):
        weight, bias = (parameter.detach().numpy() for parameter in (convolution.weight, convolution.bias))
        answers = [np.einsum("ocw,wc->o", weight, padded[end - window : end]) + bias for end in range(5, 12)]
        pooled.append(np.maximum(answers, 0).max(axis=0))
    last = network.head[1]
    expected = last.weight.detach().numpy() @ np.concatenate(pooled) + last.bias.detach().numpy()
    np.testing.assert_allclose(network(ids)[0].detach().numpy(), expected, atol=1e-5)


def test_two_channels_have_a_filter_for_each() -> None:
    network = TextCNN(2, 100, "multichannel")
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 300 * 100 + 2 * 360_000 + 300 + 301 * 2
    assert sum(buffer.numel() for buffer in network.buffers()) == 300 * 100


@pytest.mark.parametrize("pooling", ["max", "kmax3", "regions2", "average", "attention"])
def test_a_text_does_not_depend_on_its_batch(pooling: str) -> None:
    network, ids = small(pooling), texts(1, 2, 5, 30)
    together = network(ids)
    for row, length in enumerate((1, 2, 5, 30)):
        torch.testing.assert_close(network(ids[row : row + 1, :length])[0], together[row], rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", ["max", "kmax2"])
def test_padding_never_wins(pooling: str) -> None:
    network = small(pooling)
    with torch.no_grad():
        for convolution in network.features.convolutions:
            convolution.bias.fill_(5.0)  # a window of nothing but padding would answer 5
            convolution.weight.fill_(-100.0)
        network.features.embedding.weight[1:].fill_(1.0)
    assert not network.features(texts(4, 9))[0].any()


def test_the_padding_vector_stays_zero_in_training() -> None:
    network = small().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        network(texts(4, 9)).square().sum().backward()
        optimiser.step()
    assert not network.features.embedding.weight[0].any()
    assert network.features.embedding.weight[1].any()


@pytest.mark.parametrize("pooling", ["regions3", "average", "attention"])
def test_other_poolings_agree_with_the_definition(pooling: str) -> None:
    network, ids = small(pooling), texts(9)
    answers = network.features.convolutions(network.features.embedding(ids)).relu()[0]
    if pooling == "regions3":
        expected = torch.stack([answers[:, at : at + 3].amax(1) for at in (0, 3, 6)], dim=1).flatten()
    elif pooling == "average":
        expected = answers.mean(1)
    else:
        pool = network.features.pool
        expected = answers @ pool.score(pool.hidden(answers.T).tanh())[:, 0].softmax(0)
    torch.testing.assert_close(network.features(ids)[0], expected, rtol=1e-5, atol=1e-6)
    assert network(texts(9, 2)).shape == (2, 3)


def test_k_max_pooling_keeps_k_answers_of_each_filter() -> None:
    network = small("kmax3")
    assert network.features(texts(9, 2)).shape == (2, 3 * 8 * 3)
    assert network(texts(9, 2)).shape == (2, 3)


@pytest.mark.parametrize("pooling", ["max", "kmax3"])
def test_onnx_runtime_agrees_for_any_batch_and_length(pooling: str, tmp_path: Path) -> None:
    network, model = small(pooling), tmp_path / "model.onnx"
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", min=5)}
    torch.onnx.export(
        network, (texts(9, 12),), model, dynamo=True, opset_version=18, input_names=["input"], dynamic_shapes=(axes,),
        verbose=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(model)
    for ids in (texts(5), texts(1, 6), texts(40, 3, 1, 17)):
        (theirs,) = session.run(None, {"input": ids.numpy()})
        ours = network(ids).detach().numpy()
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-4 * np.abs(ours).max())


def test_reset_head_changes_the_number_of_classes_and_nothing_else() -> None:
    network, ids = small(), texts(6, 6)
    before = network.features(ids)
    network.reset_head(7)
    assert network(ids).shape == (2, 7)
    assert torch.equal(network.features(ids), before)


def test_dropout_works_in_training_only() -> None:
    network, ids = small(embedding_dropout=0.5), texts(20, 20)
    assert torch.equal(network(ids), network(ids))
    network.train()
    assert not torch.equal(network.features(ids), network.features(ids))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pooling": "mean"}, "not mean"),
        ({"pooling": "kmax0"}, "kmax0"),
        ({"pooling": "regions"}, "not regions"),
        ({"windows": ()}, "windows"),
    ],
)
def test_refuses_wrong_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TextCNN(2, 10, **options)  # type: ignore[arg-type]


def test_word_dropout_replaces_the_share_of_words_and_no_padding() -> None:
    ids = torch.full((100, 50), 7, dtype=torch.int32)
    ids[:, 30:] = 0
    before = ids.clone()
    dropped = TextAugmentation(0.2)(ids, seeded())
    assert dropped.dtype == torch.int32
    assert torch.equal(ids, before)
    assert not dropped[:, 30:].any()
    assert set(dropped[:, :30].unique().tolist()) == {1, 7}
    assert 0.17 < float((dropped[:, :30] == 1).float().mean()) < 0.23
    assert len({tuple(row.tolist()) for row in dropped}) > 90  # each text draws its own
    assert torch.equal(dropped, TextAugmentation(0.2)(ids, seeded()))


def test_word_dropout_off_is_off() -> None:
    ids = texts(5)
    assert TextAugmentation()(ids, seeded()) is ids
    with pytest.raises(ValueError, match="share"):
        TextAugmentation(1.0)
