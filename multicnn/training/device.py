"""Where the arithmetic happens, and in which precision."""

import platform
from functools import cache
from pathlib import Path

import torch

from multicnn.errors import UsageError

# What computes in bfloat16 itself instead of converting to float32 and back.
BF16_FLAGS = {"amx_bf16", "avx512_bf16"}


def choose_device(wanted: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        UsageError: the device is not there.
    """
    if wanted == "auto":
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    device = torch.device(wanted)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {wanted}: there are {torch.cuda.device_count()} CUDA devices here; use --device cpu or auto"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: there is none here; use --device cpu or auto")
    return device


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """The type in which the network multiplies: bfloat16 under `auto` where the hardware computes in it.

    Raises:
        UsageError: fp16 on a CPU, where its gradients would vanish without the scaling that only CUDA has.
    """
    if wanted == "fp16" and device.type != "cuda":
        raise UsageError("--precision fp16 needs a CUDA device; use bf16, fp32 or auto")
    if wanted == "auto":
        wanted = "bf16" if computes_in_bf16(device) else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[wanted]


@cache
def computes_in_bf16(device: torch.device) -> bool:
    """Whether the hardware multiplies in bfloat16 itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    cpuinfo = Path("/proc/cpuinfo")
    return device.type == "cpu" and cpuinfo.exists() and not BF16_FLAGS.isdisjoint(cpuinfo.read_text().split())


def device_name(device: torch.device) -> str:
    """The device in words, as metrics.json gives it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple {platform.machine()}"
    return f"{_processor()}, {torch.get_num_threads()} threads"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
