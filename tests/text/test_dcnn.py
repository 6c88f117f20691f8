"""DCNN: the paper's layers by hand, and its sizes."""

import math

import numpy as np
import torch

from multicnn.text.architectures.dcnn import DCNN


def layer_by_hand(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, layer: int, layers: int, k_top: int, words: int
) -> np.ndarray:
    """One layer on one sentence, [rows, maps, time] to [rows / 2, maps, k], from the paper's definitions.

    weight: [rows, maps out, maps in, width]; bias: [rows / 2, maps out].
    """
    rows, _, time = x.shape
    maps, width = weight.shape[1], weight.shape[3]
    wide = np.pad(x, ((0, 0), (0, 0), (width - 1, width - 1)))
    convolved = np.zeros((rows, maps, time + width - 1))
    for row, out, place in np.ndindex(*convolved.shape):
        convolved[row, out, place] = (weight[row, out] * wide[row, :, place : place + width]).sum()
    folded = convolved[0::2] + convolved[1::2]
    k = max(k_top, math.ceil((layers - layer) / layers * words))
    order = np.sort(np.argsort(-folded, axis=-1)[..., :k], axis=-1)
    return np.tanh(np.take_along_axis(folded, order, axis=-1) + bias[..., None])


def test_agrees_with_the_definition() -> None:
    torch.manual_seed(0)
    network = DCNN(3, 30, embedding=8, maps=(2, 3), widths=(4, 3), k_top=2).eval()
    ids = torch.randint(1, 30, (1, 11))
    assert network.features.embedding.weight is not None
    x = network.features.embedding.weight.detach().numpy()[ids[0].numpy()].T[:, None]
    for number, layer in enumerate(network.features.layers, start=1):
        with torch.no_grad():
            layer.bias.uniform_(-1, 1)
        rows, maps_in = x.shape[:2]
        weight = layer.convolution.weight.detach().numpy().reshape(rows, -1, maps_in, layer.width)
        bias = layer.bias.detach().numpy().reshape(rows // 2, -1)
        x = layer_by_hand(x, weight, bias, number, 2, k_top=2, words=11)
    assert x.shape == (2, 3, 2)
    np.testing.assert_allclose(network.features(ids)[0].detach().numpy(), x.ravel(), atol=1e-5)
    last = network.head[-1]
    expected = last.weight.detach().numpy() @ x.ravel() + last.bias.detach().numpy()
    np.testing.assert_allclose(network(ids)[0].detach().numpy(), expected, atol=1e-5)


def test_has_the_papers_sizes_for_two_classes() -> None:
    count = sum(parameter.numel() for parameter in DCNN(2, 16_185).parameters())
    first = 48 * 6 * 7 + 24 * 6  # a filter for each row and map; a bias for each row that is left
    second = 24 * 14 * 6 * 5 + 12 * 14
    assert count == 16_185 * 48 + first + second + 12 * 14 * 4 * 2 + 2


def test_two_channels_are_two_maps_of_the_first_layer() -> None:
    network = DCNN(2, 50, "multichannel")
    assert network.features.layers[0].convolution.weight.shape == (48 * 6, 2, 7)
