"""torch.compile for the passes of a training, where it pays."""

from collections.abc import Callable
from typing import Any

import torch

from multicnn.training.memory import is_out_of_memory

BACKEND = "inductor"
# Compiling takes about a minute. At a gain of a tenth, a training has to go on for ten minutes to win that back.
PAYS_FROM_SECONDS = 600.0


def pays(device: torch.device, seconds: float) -> bool:
    """Whether `training.compile: auto` compiles: on CUDA, where the training still takes long.

    On a CPU never: on two cores 56 s of compiling won 4 %.

    Args:
        device: that trains.
        seconds: what is left of the training at its present pace.
    """
    return device.type == "cuda" and seconds >= PAYS_FROM_SECONDS


class Compiled:
    """A function, compiled at its first call; itself where it cannot be.

    Only calls go through here. The module whose method it is stays as it was, and so do its weights' names, what a
    checkpoint holds and what is exported.

    Args:
        function: of tensors.
        warn: told, in one line, that it cannot be compiled.
    """

    def __init__(self, function: Callable[..., Any], warn: Callable[[str], None]) -> None:
        self.function = function
        self.warn = warn
        self.call: Callable[..., Any] = torch.compile(function, backend=BACKEND)

    def __call__(self, *args: Any) -> Any:
        """What the function gives.

        Raises:
            RuntimeError: the memory is too small, or the function itself fails.
        """
        try:
            return self.call(*args)
        except Exception as error:  # a compiler has many ways to fail
            if self.call is self.function or (isinstance(error, RuntimeError) and is_out_of_memory(error)):
                raise
            reason = " ".join(str(error).split())[:200] or type(error).__name__
        self.warn(f"torch.compile failed, so the training goes on without it (training.compile): {reason}")
        self.call = self.function
        return self.call(*args)
