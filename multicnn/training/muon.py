"""Muon: momentum whose step is made orthogonal, for the matrices inside a network."""

from typing import Any

import torch
from torch import Tensor

from multicnn.training.device import computes_in_bf16

# The quintic whose iteration brings all singular values near 1 in few steps.
A, B, C = 3.4445, -4.7750, 2.0315
ITERATIONS = 5


class Muon(torch.optim.AdamW):
    """Muon for the groups that say so by `orthogonal`, AdamW for the others.

    Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". The idea: a momentum matrix is
    dominated by few directions; with all of its singular values made equal, the rare directions learn too. A kernel is
    the matrix of its filters, [out, in * height * width]. The step is scaled to the size of AdamW's (Liu et al. 2025,
    "Muon is Scalable for LLM Training", equation 4), so that one learning rate and one weight decay suit both.

    PyTorch's own Muon takes matrices only; this one takes kernels too, and keeps one state for both kinds of groups.

    Args:
        groups: of parameters, each with `orthogonal`.
        lr: the learning rate.
        momentum: of the orthogonal groups.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, momentum: float) -> None:
        # not fused: a fused optimiser would be handed the scaled gradients of fp16
        super().__init__([{"momentum": momentum, **group} for group in groups], lr=lr, fused=False)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of both kinds."""
        groups = self.param_groups
        for group in groups:
            if group["orthogonal"]:
                self._orthogonal_step(group)
        self.param_groups = [group for group in groups if not group["orthogonal"]]
        try:
            super().step(closure)
        finally:
            self.param_groups = groups

    def _orthogonal_step(self, group: dict[str, Any]) -> None:
        rate, momentum = group["lr"], group["momentum"]
        for weight in group["params"]:
            if weight.grad is None:
                continue
            state = self.state[weight]
            if not state:
                state["step"] = torch.tensor(0.0)  # AdamW's loading looks for one in every state
                state["momentum_buffer"] = torch.zeros_like(weight)
            state["step"] += 1
            mean = state["momentum_buffer"].lerp_(weight.grad, 1 - momentum)
            step = orthogonal(weight.grad.lerp(mean, momentum).flatten(1))
            weight.mul_(1 - rate * group["weight_decay"])
            weight.add_(step.view(weight.shape), alpha=-rate * 0.2 * max(step.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values moved near 1, by a Newton-Schulz iteration; in bfloat16 where that is fast.

    Args:
        matrix: [rows, columns].
    """
    x = matrix.to(torch.bfloat16 if computes_in_bf16(matrix.device) else torch.float32)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = A * x + (B * gram + C * gram @ gram) @ x
    found: Tensor = x.T if tall else x
    return found.to(matrix.dtype)
