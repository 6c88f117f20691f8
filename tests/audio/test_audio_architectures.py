"""The contract for the audio pipeline's own networks: waveforms in wave1d, spectrograms in CNN14."""

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional

from multicnn.architectures import AUDIO, build_audio, build_image, fitting_size, names
from multicnn.audio.architectures.cnn14 import HalvingPool
from multicnn.blocks.arithmetic import parameter_count
from multicnn.blocks.loading import load_into, open_weights
from multicnn.errors import UsageError
from tests.conftest import Cli

SMALL: dict[str, tuple[int, ...]] = {"wave1d": (1000,), "cnn14": (24, 20)}
# Without chance, so that a few examples are soon known by heart.
EXACT: dict[str, dict[str, Any]] = {"wave1d": {}, "cnn14": {"block_dropout": 0.0, "dropout": 0.0}}
SIZES: dict[str, list[tuple[int, ...]]] = {
    "wave1d": [(1,), (79,), (999,), (32_000,)],
    "cnn14": [(1, 1), (64, 7), (128, 44), (64, 1001)],
}

# Dai et al. 2016, table 1: parameters in millions, which it cuts off or rounds.
MILLIONS = {3: 0.2, 5: 0.5, 11: 1.8, 18: 3.7, 34: 4.0}


def sound(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small(name: str, classes: int = 4, **options: Any) -> Any:
    torch.manual_seed(0)
    return build_audio(name, classes=classes, size=SMALL[name], options=EXACT[name] | options)


def by_hand(depth: int, classes: int) -> int:
    """wave1d's parameters: filters of 80 and of 3 samples, two numbers for each normalised channel, the last layer."""
    groups = {
        3: [256],
        5: [128, 256, 512],
        11: [64] * 2 + [128] * 2 + [256] * 3 + [512] * 2,
        18: [64] * 4 + [128] * 4 + [256] * 4 + [512] * 4,
        34: [48] * 6 + [96] * 8 + [192] * 12 + [384] * 6,
    }[depth]
    total = 80 * groups[0] + 2 * groups[0]
    for before, after in zip([groups[0], *groups], groups, strict=False):
        total += 3 * before * after + 2 * after
        if depth == 34 and before != after:  # the shortcut's projection
            total += before * after + 2 * after
    return total + (groups[-1] + 1) * classes


@pytest.mark.parametrize("depth", MILLIONS)
def test_wave1d_has_the_papers_parameters(depth: int) -> None:
    with torch.device("meta"):
        network = build_audio("wave1d", classes=10, size=(32_000,), options={"depth": depth})
    assert parameter_count(network) == by_hand(depth, 10)
    assert abs(parameter_count(network) / 1e6 - MILLIONS[depth]) < 0.1
    weights = [parameter for key, parameter in network.named_parameters() if parameter.ndim > 1]
    assert len([one for one in weights if one.ndim == 2 or one.shape[2] > 1]) == depth


def test_wave1d_shortens_the_sequence_as_the_paper_does() -> None:
    with torch.device("meta"):
        network = build_audio("wave1d", classes=10, size=(32_000,)).eval()
        x, lengths = torch.empty(1, 1, 32_000), []
        for layer in network.features:
            x = layer(x)
            lengths.append(x.shape[2])
    assert lengths == [8000, 2000, 2000, 500, 500, 125, 125, 32, 32]


def test_cnn14_has_the_papers_parameters() -> None:
    with torch.device("meta"):
        network = build_audio("cnn14", classes=527, size=(64, 1001))
        assert parameter_count(network) == 80_753_615
        assert network.eval().features(torch.empty(1, 1, 64, 1001)).shape == (1, 2048, 31, 2)


@pytest.mark.parametrize(("name", "size"), [(name, size) for name in SIZES for size in SIZES[name]])
def test_takes_every_size(name: str, size: tuple[int, ...]) -> None:
    with torch.device("meta"):
        network = build_audio(name, classes=5, channels=2, size=size).eval()
        assert network(torch.empty(3, 2, *size)).shape == (3, 5)


@pytest.mark.parametrize("name", AUDIO)
def test_features_and_head_make_the_network(name: str) -> None:
    network = small(name).eval()
    x = sound(2, 1, *SMALL[name])
    maps = network.features(x)
    assert maps.ndim == x.ndim
    assert network(x).isfinite().all()
    torch.testing.assert_close(network.head(maps), network(x))


@pytest.mark.parametrize(("name", "options"), [("wave1d", {}), ("wave1d", {"depth": 34}), ("cnn14", {})])
def test_backward_reaches_every_parameter(name: str, options: dict[str, Any]) -> None:
    network = small(name, 3, **options)
    functional.cross_entropy(network(sound(6, 1, *SMALL[name])), torch.arange(6) % 3).backward()
    lost = [key for key, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert lost == []


@pytest.mark.parametrize("name", AUDIO)
def test_a_saved_network_gives_the_same_answers(name: str) -> None:
    network, other = small(name), small(name)
    x = sound(4, 1, *SMALL[name])
    network(x)  # batch normalisation has seen something
    other.load_state_dict(load(save(network.state_dict())))
    assert torch.equal(network.eval()(x), other.eval()(x))


@pytest.mark.parametrize("name", AUDIO)
def test_one_seed_gives_one_network_and_one_training_step(name: str) -> None:
    def step() -> list[Tensor]:
        torch.manual_seed(7)
        network = build_audio(name, classes=3, size=SMALL[name], options={"dropout": 0.1})
        optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
        network(sound(4, 1, *SMALL[name])).square().sum().backward()
        optimiser.step()
        return list(network.state_dict().values())

    assert all(torch.equal(a, b) for a, b in zip(step(), step(), strict=True))


@pytest.mark.parametrize("name", AUDIO)
def test_learns_a_few_sounds_by_heart_from_scratch(name: str) -> None:
    network = small(name)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-4)
    x, truth = sound(8, 1, *SMALL[name]), torch.arange(8) % 4
    start = last = functional.cross_entropy(network(x), truth)
    assert start.item() < 4  # a good start is near ln 4 = 1.4
    for _ in range(6 if name == "cnn14" else 15):  # its 80 million weights learn fast, and take a second a step
        optimiser.zero_grad()
        last = functional.cross_entropy(network(x), truth)
        last.backward()
        optimiser.step()
    assert last.item() < start.item() / 2


@pytest.mark.parametrize("name", AUDIO)
def test_the_head_can_be_changed_and_only_the_head(name: str) -> None:
    network = small(name, 3)
    before = copy.deepcopy(network.state_dict())
    network.reset_head(7)
    changed = [key for key, tensor in network.state_dict().items() if not torch.equal(tensor, before[key])]
    assert {tensor.shape[0] for key, tensor in network.state_dict().items() if key in changed} == {7}
    assert network.eval()(sound(2, 1, *SMALL[name])).shape == (2, 7)


@pytest.mark.parametrize(("name", "options"), [("wave1d", {}), ("wave1d", {"depth": 34}), ("cnn14", {})])
def test_onnx_runtime_agrees_at_any_batch_size(name: str, options: dict[str, Any]) -> None:
    network = small(name, **options)
    network(sound(4, 1, *SMALL[name]))
    network.eval()
    program = torch.onnx.export(
        network,
        (sound(2, 1, *SMALL[name]),),
        dynamo=True,
        opset_version=18,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for batch in (1, 3):
        x = sound(batch, 1, *SMALL[name], seed=batch)
        (logits,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        expected = network(x).detach().numpy()
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("size", [(31, 4), (5, 1), (1, 1)])
def test_halving_leaves_an_axis_of_one_place_alone(size: tuple[int, int]) -> None:
    x = sound(2, 3, *size).numpy()
    rows, columns = (max(1, extent // 2) for extent in size)
    across, down = min(2, size[0]), min(2, size[1])
    expected = [
        [x[:, :, across * i : across * (i + 1), down * j : down * (j + 1)].mean((2, 3)) for j in range(columns)]
        for i in range(rows)
    ]
    pooled = HalvingPool()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(pooled, np.array(expected).transpose(2, 3, 0, 1), rtol=1e-5, atol=1e-6)


def paper(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """CNN14 of the paper in use, from its weights by their published names; x is [batch, 1, frames, mels]."""

    def norm(name: str, values: Tensor) -> Tensor:
        mean, var, scale, shift = (
            weights[f"{name}.{what}"] for what in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(values, mean, var, scale, shift)

    x = norm("bn0", x.transpose(1, 3)).transpose(1, 3)
    for block in range(1, 7):
        for layer in (1, 2):
            x = functional.conv2d(x, weights[f"conv_block{block}.conv{layer}.weight"], padding=1)
            x = norm(f"conv_block{block}.bn{layer}", x).relu()
        x = functional.avg_pool2d(x, 2 if block < 6 else 1)
    x = x.mean(3)
    x = x.max(2).values + x.mean(2)
    x = functional.linear(x, weights["fc1.weight"], weights["fc1.bias"]).relu()
    return functional.linear(x, weights["fc_audioset.weight"], weights["fc_audioset.bias"])


def published(classes: int, mels: int) -> dict[str, Tensor]:
    """A file of the published names and shapes, with the spectrogram's constants besides."""
    torch.manual_seed(1)
    widths = [1, 64, 128, 256, 512, 1024, 2048]
    normalised = {"bn0": mels}
    weights = {
        "spectrogram_extractor.stft.conv_real.weight": torch.zeros(5, 1, 8),
        "spectrogram_extractor.stft.conv_imag.weight": torch.zeros(5, 1, 8),
        "logmel_extractor.melW": torch.zeros(5, mels),
        "fc1.weight": sound(2048, 2048) * 0.03,
        "fc1.bias": sound(2048),
        "fc_audioset.weight": sound(classes, 2048) * 0.03,
        "fc_audioset.bias": sound(classes),
    }
    for block, (before, after) in enumerate(itertools.pairwise(widths), start=1):
        for layer, channels in ((1, before), (2, after)):
            weights[f"conv_block{block}.conv{layer}.weight"] = sound(after, channels, 3, 3) * (2 / channels / 9) ** 0.5
            normalised[f"conv_block{block}.bn{layer}"] = after
    for name, width in normalised.items():
        weights |= {
            f"{name}.weight": 1 + 0.1 * sound(width),
            f"{name}.bias": 0.1 * sound(width),
            f"{name}.running_mean": 0.1 * sound(width, seed=1),
            f"{name}.running_var": 1 + sound(width).square(),
            f"{name}.num_batches_tracked": torch.tensor(3),
        }
    return weights


def test_published_weights_of_cnn14_fit_and_give_the_papers_answers(tmp_path: Path) -> None:
    weights = published(classes=5, mels=32)
    torch.save({"iteration": 600_000, "model": weights}, tmp_path / "Cnn14_mAP=0.431.pth")
    network = build_audio("cnn14", classes=5, size=(32, 50)).eval()
    report = load_into(network, open_weights(tmp_path / "Cnn14_mAP=0.431.pth"))
    assert (report.missing, report.mismatched) == ([], [])
    assert {name.partition(".")[0] for name in report.unexpected} == {"spectrogram_extractor", "logmel_extractor"}
    assert "of the file are not used" in report.line()
    x = sound(2, 1, 32, 50)
    expected = paper(weights, x.transpose(2, 3))
    torch.testing.assert_close(network(x), expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())
    other = build_audio("cnn14", classes=3, size=(32, 50))
    report = load_into(nn.ModuleDict({"network": other}), open_weights(tmp_path / "Cnn14_mAP=0.431.pth"))
    assert report.mismatched == ["network.fc_audioset.weight", "network.fc_audioset.bias"]
    assert "network.fc_audioset.weight, network.fc_audioset.bias start fresh" in report.line()


@pytest.mark.slow
def test_published_weights_of_cnn14_start_a_training(sounds: Path, cli: Cli, tmp_path: Path) -> None:
    torch.save({"model": published(classes=527, mels=64)}, tmp_path / "cnn14.pth")
    options = ("--arch", "cnn14", "--weights", tmp_path / "cnn14.pth", "--epochs", "1", "--batch-size", "16")
    done = cli("train", "audio", sounds, "--output", tmp_path / "run", *options)
    assert done.returncode == 0, done.stderr
    assert "network.fc_audioset.weight, network.fc_audioset.bias start fresh for their shape differs" in done.stderr
    assert "spectrogram_extractor.stft.conv_real.weight" in done.stderr
    assert "of the file are not used" in done.stderr


def test_the_audio_table_is_the_image_table_and_more() -> None:
    assert names("audio") == [*names("image"), *AUDIO]
    for name in AUDIO:
        with pytest.raises(UsageError, match=f"no image architecture {name}"):
            build_image(name, classes=2)


@pytest.mark.parametrize(
    ("name", "size", "options", "message"),
    [
        ("wave1d", (32_000,), {"depth": 7}, "wave1d: depth is 3, 5, 11, 18, 34, not 7"),
        ("wave1d", (64, 101), {}, r"wave1d takes inputs with 1 axis \(32000\), not with 2 axes \(64 x 101\)"),
        ("densenet121", (8000,), {}, r"densenet121 takes inputs with 2 axes \(224 x 224\), not with 1 axis \(8000\)"),
        ("torchvision:resnet18", (8000,), {}, "with 2 axes"),
        ("vgg11", (64, 31), {}, "vgg11 does not take inputs of 64 x 31; its own size is 224 x 224"),
        ("wave2d", (8000,), {}, r"no audio architecture wave2d; did you mean wave1d\?"),
        ("wave1d", (8000,), {"dropout": 1.0}, "wave1d: dropout is a share from 0 to below 1, not 1"),
        ("cnn14", (64, 101), {"hidden": 3}, "cnn14 has no option hidden; it has block_dropout, dropout"),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line(
    name: str, size: tuple[int, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        build_audio(name, classes=2, size=size, options=options)
    assert "\n" not in str(caught.value)


def test_the_fitting_size_works_for_sounds() -> None:
    assert fitting_size("wave1d", (8000,), kind="audio", channels=1) == (8000,)
    assert fitting_size("vgg11", (64, 20), kind="audio", channels=1) == (224, 224)
