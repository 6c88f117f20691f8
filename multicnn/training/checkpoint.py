"""What an optimiser remembers, as tensors with names."""

import torch

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
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:  # fused optimisers expect it to lie in memory as the parameter does
            tensor = torch.empty_like(parameter).copy_(tensor)
        remembered.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({"state": remembered, "param_groups": optimiser.state_dict()["param_groups"]})
