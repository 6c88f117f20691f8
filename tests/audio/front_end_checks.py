"""Sounds to hear front ends with, and what is asked of each of them."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from multicnn.audio.frontends.level import levelled

FORMANTS = ((700, 130), (1220, 70), (2600, 160))  # of an "a": frequency and width in Hz


def noise(batch: int, samples: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def tones(sample_rate: int, samples: int) -> Tensor:
    time = torch.arange(samples) / sample_rate
    return torch.stack([0.5 * torch.sin(2 * torch.pi * hertz * time) for hertz in (100.0, 440.0, 3000.0)])


def speech(sample_rate: int, samples: int) -> Tensor:
    """Vowels with a gliding pitch, breath and pauses, [1, samples]."""
    time = torch.arange(samples) / sample_rate
    pitch = 120 + 30 * torch.sin(4 * time)
    phase = 2 * torch.pi * torch.cumsum(pitch, 0) / sample_rate
    voice = torch.zeros(samples)
    for harmonic in range(1, int(min(4000, sample_rate / 2) / 150)):
        loud = sum(1 / (1 + ((harmonic * 120 - place) / width) ** 2) for place, width in FORMANTS)
        voice += loud * torch.sin(harmonic * phase)
    syllables = torch.sin(2 * torch.pi * 3 * time).clamp_min(0)
    return (0.2 * voice * syllables + 0.02 * noise(1, samples)[0])[None]


def as_heard(sample_rate: int, samples: int) -> dict[str, Tensor]:
    """Noise, speech and tones at the level that front ends bring everything to."""
    every = {"noise": noise(1, samples), "speech": speech(sample_rate, samples), "tones": tones(sample_rate, samples)}
    return {name: levelled(x) for name, x in every.items()}


# The logarithm shows float32's rounding in the empty bands between a pure tone's partials.
LOG_TOLERANCE = {"noise": 1e-4, "speech": 1e-3, "tones": 1e-2}


def exported(front: nn.Module, samples: int, folder: Path) -> onnxruntime.InferenceSession:
    """A front end that has heard noise, as ONNX Runtime runs it, for any number of clips."""
    front.eval()
    front.fit([noise(4, samples)])
    model = folder / "model.onnx"
    torch.onnx.export(
        front,
        (noise(2, samples),),
        model,
        dynamo=True,
        opset_version=18,
        input_names=["input"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    return onnxruntime.InferenceSession(model)


def check_export(front: nn.Module, sample_rate: int, samples: int, folder: Path, scale: float = 1.0) -> None:
    """ONNX Runtime gives the same, for any number of clips; `scale` is that of the picture's own unit."""
    session = exported(front, samples, folder)
    heard = as_heard(sample_rate, samples) | {"silence": torch.zeros(1, samples)}
    for name, x in heard.items():
        (theirs,) = session.run(None, {"input": x.numpy()})
        ours = front(x)
        tolerance = scale * LOG_TOLERANCE.get(name, 1e-4)
        np.testing.assert_allclose(theirs, ours.numpy(), rtol=0, atol=tolerance, err_msg=name)
        assert ours.isfinite().all()


def check_float32(front: nn.Module, samples: int) -> None:
    """Under autocast too, and from half precision."""
    x = noise(1, samples)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = front(x)
    assert half.dtype == torch.float32
    assert torch.equal(half, front(x))


def check_fit(front: nn.Module, samples: int) -> None:
    """Each band of the training clips has mean 0 and variance 1."""
    x = noise(40, samples).cumsum(dim=1)  # brown noise: the bands differ much
    x = x - x.mean(dim=1, keepdim=True)
    front.fit([x[:24], x[24:]])
    bands = front(x).double()
    assert bands.mean(dim=(0, 3)).abs().max() < 0.02
    assert (bands.std(dim=(0, 3)) - 1).abs().max() < 0.15
