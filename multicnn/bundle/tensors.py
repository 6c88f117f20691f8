"""Tensors on disk: one safetensors file, with everything that is no tensor as JSON in its header."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from multicnn.data.files import written_whole
from multicnn.errors import MulticnnError

Weights = dict[str, Tensor]


def save_tensors(path: Path, tensors: Weights, state: dict[str, Any]) -> None:
    """Writes tensors and a JSON state under one name, all or nothing.

    Args:
        path: the .safetensors file.
        tensors: copied to the CPU and made contiguous on the way.
        state: whatever JSON can hold.
    """
    plain = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    with written_whole(path) as beside:
        save_file(plain, beside, metadata={"multicnn": json.dumps(state)})


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
