"""What an optimiser remembers, as tensors with names."""

import torch
from torch import Tensor

from multicnn.bundle.tensors import Weights


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Weights:
    """What the optimiser remembers of each parameter, by `parameter.name`."""
    remembered = optimiser.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, one in remembered.items()
        for name, value in one.items()
        if value is not None
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Weights) -> None:
    """Puts back what `optimiser_tensors` took out."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    remembered: dict[int, Weights] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        remembered.setdefault(int(index), {})[name] = _laid_out_as(parameters[int(index)], tensor)
    optimiser.load_state_dict({"state": remembered, "param_groups": optimiser.state_dict()["param_groups"]})


def _laid_out_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Fused optimisers expect what belongs to a parameter to lie in memory as it does: channels-last, say."""
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape else tensor
