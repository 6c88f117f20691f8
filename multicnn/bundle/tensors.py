"""Tensors on disk: one safetensors file, with everything that is no tensor as JSON in its header."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from multicnn.errors import MulticnnError

Weights = dict[str, Tensor]


def save_tensors(path: Path, tensors: Weights, state: dict[str, Any]) -> None:
    """Writes tensors and a JSON state under one name, all or nothing.

    Args:
        path: the .safetensors file.
        tensors: copied to the CPU and made contiguous on the way.
        state: whatever JSON can hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    plain = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    save_file(plain, partial, metadata={"multicnn": json.dumps(state)})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def load_tensors(path: Path) -> tuple[Weights, dict[str, Any]]:
    """Reads back what `save_tensors` wrote.

    Raises:
        MulticnnError: the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {}).get("multicnn", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise MulticnnError(f"{path}: not a readable checkpoint ({error}); train again with --overwrite") from None
